//! Small pictures of kinds: plain shapes of this project's own, 24 pixels square, lines only.

use super::scene::NodeKind;

/// SVG shapes within a square of 24 pixels.
pub(super) fn icon(kind: NodeKind) -> &'static str {
    use NodeKind::*;
    match kind {
        Browser => r#"<rect x="2" y="4" width="20" height="16" rx="2"/><path d="M2 9h20M5 6.5h.01M8 6.5h.01"/>"#,
        Names => r#"<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c-6 6-6 12 0 18M12 3c6 6 6 12 0 18"/>"#,
        Cdn => {
            r#"<circle cx="12" cy="12" r="3"/><circle cx="4" cy="5" r="2"/><circle cx="20" cy="5" r="2"/><circle cx="4" cy="19" r="2"/><circle cx="20" cy="19" r="2"/><path d="M5.5 6.5l4 3.5M18.5 6.5l-4 3.5M5.5 17.5l4-3.5M18.5 17.5l-4-3.5"/>"#
        }
        Firewall => r#"<path d="M12 2l8 3v6c0 6-4 9-8 11-4-2-8-5-8-11V5z"/><path d="M8 12l3 3 5-6"/>"#,
        LoadBalancer => {
            r#"<circle cx="4" cy="12" r="2.5"/><circle cx="20" cy="5" r="2.5"/><circle cx="20" cy="12" r="2.5"/><circle cx="20" cy="19" r="2.5"/><path d="M6.5 12h11M6.5 11l11-5M6.5 13l11 5"/>"#
        }
        Containers => r#"<path d="M12 2l9 5v10l-9 5-9-5V7z"/><path d="M3 7l9 5 9-5M12 12v10"/>"#,
        Function => r#"<path d="M5 21L12 8M8 3h3l7 18h3"/>"#,
        Api => r#"<path d="M8 5l-6 7 6 7M16 5l6 7-6 7M14 4l-4 16"/>"#,
        Instance => r#"<rect x="3" y="3" width="18" height="18" rx="2"/><rect x="8" y="8" width="8" height="8"/>"#,
        Table => r#"<rect x="3" y="4" width="18" height="16"/><path d="M3 9h18M3 14h18M9 4v16"/>"#,
        Database => r#"<ellipse cx="12" cy="5" rx="8" ry="3"/><path d="M4 5v14c0 4 16 4 16 0V5M4 12c0 4 16 4 16 0"/>"#,
        Bucket => r#"<path d="M3 5l3 15c0 2 12 2 12 0l3-15"/><ellipse cx="12" cy="5" rx="9" ry="3"/>"#,
        Queue => {
            r#"<rect x="2" y="8" width="5" height="8"/><rect x="9.5" y="8" width="5" height="8"/><rect x="17" y="8" width="5" height="8"/>"#
        }
        Topic => r#"<path d="M3 10v4l12 6V4zM3 10h4M18 9c2 2 2 4 0 6"/>"#,
        Gateway => r#"<path d="M4 3h16v18H4zM8 12h9M14 8l4 4-4 4"/>"#,
        Images => r#"<rect x="3" y="9" width="13" height="12"/><path d="M6 9V6h13v12h-3M9 6V3h13v12h-3"/>"#,
        Key => r#"<circle cx="7" cy="12" r="4.5"/><path d="M11.5 12H22M18 12v4M21 12v3"/>"#,
        Secret => r#"<rect x="4" y="10" width="16" height="11" rx="2"/><path d="M8 10V7c0-6 8-6 8 0v3M12 14v3"/>"#,
        Logs => r#"<path d="M5 2h10l4 4v16H5zM15 2v4h4M8 10h8M8 14h8M8 18h5"/>"#,
        Alarms => r#"<path d="M4 18h16l-2-3v-5c0-8-12-8-12 0v5zM10 21h4"/>"#,
        Dashboard => r#"<path d="M3 3v18h18M7 17v-5M12 17V7M17 17v-8"/>"#,
        Deployment => r#"<path d="M12 3v12M7 8l5-5 5 5M4 15v6h16v-6"/>"#,
        Subnet => {
            r#"<path d="M12 3v6M5 15v-3h14v3M12 9v3"/><rect x="2" y="15" width="6" height="6"/><rect x="16" y="15" width="6" height="6"/>"#
        }
        _ => r#"<rect x="4" y="4" width="16" height="16" rx="3"/>"#,
    }
}
