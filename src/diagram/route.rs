//! Arrows around boxes: for each the cheapest way on the grid. Bends, crossings and ways that another arrow has taken cost;
//! a card or a title is never crossed.

use super::layout::{GRID, Placed, Rect, title_of};
use super::scene::Flow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

const STEP: u32 = 10;
const BEND: u32 = 40;
const CROSSING: u32 = 30;
/// Along another arrow, or along a frame's line.
const SHARED: u32 = 120;
const ALONG_FRAME: u32 = 25;
/// A port that another arrow has, and each step away from the middle of a side.
const TAKEN: u32 = 200;
const OFF_CENTRE: u32 = 4;

pub(super) type Point = (i32, i32);

const DIRECTIONS: [Point; 4] = [(0, -1), (1, 0), (0, 1), (-1, 0)];

/// The bends of each arrow from border to border, in the order of the flows; none for one that has no way.
pub(super) fn routes(placed: &[Placed], flows: &[Flow], page: Rect) -> Vec<Option<Vec<Point>>> {
    let mut map = Map::new(placed, page);
    let mut order: Vec<usize> = (0..flows.len()).collect();
    order.sort_by_key(|index| (flows[*index].kind, flows[*index].step.unwrap_or(usize::MAX), *index));
    let mut routes = vec![None; flows.len()];
    for index in order {
        let rect = |id: &str| placed.iter().find(|one| one.node.id == id).map(|one| one.rect);
        let (Some(from), Some(to)) = (rect(&flows[index].from), rect(&flows[index].to)) else { continue };
        if let Some(route) = map.route(from, to) {
            map.take(&route);
            routes[index] = Some(corners(&route));
        }
    }
    routes
}

/// What is where on the grid.
struct Map {
    page: Rect,
    columns: usize,
    blocked: Vec<bool>,
    /// 1: a frame's upright line, 2: a lying one.
    frames: Vec<u8>,
    /// 1: an arrow runs upright here, 2: one lies here.
    taken: Vec<u8>,
    ports: BTreeMap<Point, u32>,
}

impl Map {
    fn new(placed: &[Placed], page: Rect) -> Map {
        let columns = usize::try_from(page.width / GRID + 1).unwrap_or_default();
        let rows = usize::try_from(page.height / GRID + 1).unwrap_or_default();
        let cells = columns * rows;
        let mut map = Map {
            page,
            columns,
            blocked: vec![false; cells],
            frames: vec![0; cells],
            taken: vec![0; cells],
            ports: BTreeMap::new(),
        };
        for one in placed {
            if !one.node.kind.is_frame() {
                map.block(one.rect.grown(GRID - 1));
            } else if one.node.kind.is_drawn_frame() {
                map.outline(one.rect);
                if let Some(title) = title_of(one) {
                    map.block(title);
                }
            }
        }
        map
    }

    fn index(&self, (x, y): Point) -> Option<usize> {
        let inside = x >= self.page.x && y >= self.page.y && x <= self.page.right() && y <= self.page.bottom();
        let column = usize::try_from((x - self.page.x) / GRID).ok().filter(|_| inside)?;
        Some(usize::try_from((y - self.page.y) / GRID).ok()? * self.columns + column)
    }

    fn block(&mut self, rect: Rect) {
        let first = |at: i32| at.div_euclid(GRID) * GRID;
        for y in (first(rect.y)..=rect.bottom()).step_by(GRID as usize).filter(|y| *y >= rect.y) {
            for x in (first(rect.x)..=rect.right()).step_by(GRID as usize).filter(|x| *x >= rect.x) {
                if let Some(index) = self.index((x, y)) {
                    self.blocked[index] = true;
                }
            }
        }
    }

    fn outline(&mut self, rect: Rect) {
        for y in (rect.y..=rect.bottom()).step_by(GRID as usize) {
            for x in [rect.x, rect.right()] {
                if let Some(index) = self.index((x, y)) {
                    self.frames[index] |= 1;
                }
            }
        }
        for x in (rect.x..=rect.right()).step_by(GRID as usize) {
            for y in [rect.y, rect.bottom()] {
                if let Some(index) = self.index((x, y)) {
                    self.frames[index] |= 2;
                }
            }
        }
    }

    /// Where arrows may leave a box: a step off its border, with the direction away from it and what it costs.
    fn ports(&self, rect: Rect) -> Vec<(Point, usize, u32)> {
        let mut ports = Vec::new();
        let (middle_x, middle_y) = (rect.x + rect.width / 2, rect.y + rect.height / 2);
        let cost = |off: i32| (off.unsigned_abs() / GRID as u32) * OFF_CENTRE;
        for x in (rect.x + GRID..rect.right()).step_by(GRID as usize) {
            ports.push(((x, rect.y - GRID), 0, cost(x - middle_x)));
            ports.push(((x, rect.bottom() + GRID), 2, cost(x - middle_x)));
        }
        for y in (rect.y + GRID..rect.bottom()).step_by(GRID as usize) {
            ports.push(((rect.right() + GRID, y), 1, cost(y - middle_y)));
            ports.push(((rect.x - GRID, y), 3, cost(y - middle_y)));
        }
        let near = |port: Point| -> u32 {
            let beside = [(0, 0), (GRID, 0), (-GRID, 0), (0, GRID), (0, -GRID)];
            beside.iter().filter_map(|(x, y)| self.ports.get(&(port.0 + x, port.1 + y))).sum()
        };
        ports.iter().map(|(port, direction, cost)| (*port, *direction, cost + near(*port) * TAKEN)).collect()
    }

    /// All points from border to border.
    fn route(&self, from: Rect, to: Rect) -> Option<Vec<Point>> {
        let ends: HashMap<Point, (usize, u32)> =
            self.ports(to).into_iter().map(|(port, direction, cost)| (port, (direction, cost))).collect();
        let mut best: HashMap<(Point, usize), u32> = HashMap::new();
        let mut before: HashMap<(Point, usize), (Point, usize)> = HashMap::new();
        let mut open = BinaryHeap::new();
        for (port, direction, cost) in self.ports(from) {
            if self.index(port).is_some_and(|index| !self.blocked[index]) {
                best.insert((port, direction), cost);
                open.push(Reverse((cost, port, direction, false)));
            }
        }
        while let Some(Reverse((cost, point, direction, arrived))) = open.pop() {
            if arrived {
                return Some(self.trace(point, direction, &before, from, to));
            }
            if best.get(&(point, direction)).is_some_and(|known| *known < cost) {
                continue;
            }
            if let Some((away, more)) = ends.get(&point) {
                // Into the box: against the direction that leads away from it.
                let bend = if (away + 2) % 4 == direction { 0 } else { BEND };
                if *away != direction {
                    open.push(Reverse((cost + more + bend, point, direction, true)));
                }
            }
            for (turn, (x, y)) in DIRECTIONS.iter().enumerate() {
                let next = (point.0 + x * GRID, point.1 + y * GRID);
                let Some(index) = self.index(next).filter(|index| !self.blocked[*index]) else { continue };
                if (turn + 2) % 4 == direction {
                    continue;
                }
                let reached = cost + self.cost(index, turn) + if turn == direction { 0 } else { BEND };
                let key = (next, turn);
                if best.get(&key).is_none_or(|known| reached < *known) {
                    best.insert(key, reached);
                    before.insert(key, (point, direction));
                    open.push(Reverse((reached, next, turn, false)));
                }
            }
        }
        None
    }

    fn cost(&self, index: usize, direction: usize) -> u32 {
        let (same, across) = if direction.is_multiple_of(2) { (1, 2) } else { (2, 1) };
        let mut cost = STEP;
        if self.taken[index] & same != 0 {
            cost += SHARED;
        }
        if self.taken[index] & across != 0 {
            cost += CROSSING;
        }
        if self.frames[index] & same != 0 {
            cost += ALONG_FRAME;
        }
        cost
    }

    fn trace(
        &self,
        mut point: Point,
        mut direction: usize,
        before: &HashMap<(Point, usize), (Point, usize)>,
        from: Rect,
        to: Rect,
    ) -> Vec<Point> {
        let mut points = vec![onto(to, point), point];
        while let Some((earlier, turn)) = before.get(&(point, direction)) {
            points.push(*earlier);
            (point, direction) = (*earlier, *turn);
        }
        points.push(onto(from, point));
        points.reverse();
        points
    }

    fn take(&mut self, route: &[Point]) {
        for pair in route.windows(2) {
            let upright = pair[0].0 == pair[1].0;
            for point in pair {
                if let Some(index) = self.index(*point) {
                    self.taken[index] |= if upright { 1 } else { 2 };
                }
            }
        }
        for port in [route.get(1), route.iter().rev().nth(1)].into_iter().flatten() {
            *self.ports.entry(*port).or_default() += 1;
        }
    }
}

/// The point of a border that a port is a step off.
fn onto(rect: Rect, (x, y): Point) -> Point {
    (x.clamp(rect.x, rect.right()), y.clamp(rect.y, rect.bottom()))
}

/// The ends and what lies between straight pieces.
fn corners(route: &[Point]) -> Vec<Point> {
    let mut corners: Vec<Point> = Vec::new();
    for point in route {
        if let [.., one, two] = corners[..]
            && ((one.0 == two.0 && two.0 == point.0) || (one.1 == two.1 && two.1 == point.1))
        {
            corners.pop();
        }
        corners.push(*point);
    }
    corners
}
