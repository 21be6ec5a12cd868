//! Whole processes, measured from outside: wall time, CPU time, peak memory. For the benches that include it.

#![allow(dead_code)] // each bench uses its own part

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One run's figures.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    pub wall: Duration,
    /// In steps of the kernel's clock, 10 ms.
    pub cpu: Duration,
    pub peak_kib: u64,
}

impl Figures {
    pub fn wall_ms(self) -> f64 {
        self.wall.as_secs_f64() * 1e3
    }

    pub fn peak_mib(self) -> f64 {
        self.peak_kib as f64 / 1024.0
    }
}

/// Runs a command to its end, its output thrown away; it must succeed.
pub fn run(command: &mut Command) -> Figures {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().expect("the command starts");
    let (status, stat) = (format!("/proc/{}/status", child.id()), format!("/proc/{}/stat", child.id()));
    let mut figures = Figures::default();
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        figures.peak_kib = figures.peak_kib.max(high.unwrap_or(0));
        figures.cpu = figures.cpu.max(cpu(&std::fs::read_to_string(&stat).unwrap_or_default()));
        if let Some(code) = child.try_wait().expect("its state") {
            assert!(code.success(), "{command:?} ended with {code}");
            return Figures { wall: begun.elapsed(), ..figures };
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// utime + stime, fields 14 and 15 of `/proc/<pid>/stat` (proc_pid_stat(5)), in clock ticks of 10 ms.
fn cpu(stat: &str) -> Duration {
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The median of each figure over `runs` runs, after one that does not count.
pub fn median(runs: usize, mut one: impl FnMut() -> Figures) -> Figures {
    one();
    let figures: Vec<Figures> = (0..runs).map(|_| one()).collect();
    median_of(&figures)
}

pub fn median_of(figures: &[Figures]) -> Figures {
    fn middle<T: Ord + Copy>(mut values: Vec<T>) -> T {
        values.sort();
        values[values.len() / 2]
    }
    Figures {
        wall: middle(figures.iter().map(|f| f.wall).collect()),
        cpu: middle(figures.iter().map(|f| f.cpu).collect()),
        peak_kib: middle(figures.iter().map(|f| f.peak_kib).collect()),
    }
}
