//! Icons, drawn with the painter on a grid of 24 by 24.

use egui::{Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2};

/// A picture for a control or a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Something went wrong.
    Alert,
    /// To the previous screen.
    Back,
    /// Makes no noise.
    BellOff,
    /// Blocked.
    Block,
    /// One tick.
    Check,
    /// Two ticks.
    Checks,
    /// A chat.
    Chat,
    /// Waiting.
    Clock,
    /// Closes.
    Close,
    /// To the bottom.
    Down,
    /// Shows a passphrase.
    Eye,
    /// Hides a passphrase.
    EyeOff,
    /// A file.
    File,
    /// Encrypted, locked.
    Lock,
    /// The relay.
    Relay,
    /// Looks for something.
    Search,
    /// More to do.
    More,
    /// Adds somebody.
    Plus,
    /// Sends.
    Send,
    /// Settings.
    Settings,
    /// Other words.
    Sparkle,
    /// Trust not settled.
    Shield,
    /// Trust in doubt.
    ShieldAlert,
    /// Trusted.
    ShieldCheck,
    /// To the top.
    Up,
    /// Another window.
    Windows,
}

/// Paints `icon` centred in `rect`, as large as fits, in strokes of 1.75 points (less when small).
pub(crate) fn paint(painter: &Painter, rect: Rect, icon: Icon, color: Color32) {
    let size = rect.width().min(rect.height());
    let pen = Pen {
        painter,
        origin: rect.center() - Vec2::splat(size / 2.0),
        scale: size / 24.0,
        stroke: Stroke::new(if size < 16.0 { 1.5 } else { 1.75 }, color),
    };
    pen.draw(icon);
}

struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    scale: f32,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        pos2(
            self.origin.x + x * self.scale,
            self.origin.y + y * self.scale,
        )
    }

    fn line(&self, points: &[(f32, f32)]) {
        let points: Vec<Pos2> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        for end in [points.first(), points.last()].into_iter().flatten() {
            self.painter
                .circle_filled(*end, self.stroke.width / 2.0, self.stroke.color);
        }
        self.painter.add(Shape::line(points, self.stroke));
    }

    fn closed(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.painter.add(Shape::closed_line(points, self.stroke));
    }

    fn circle(&self, x: f32, y: f32, radius: f32) {
        self.painter
            .circle_stroke(self.at(x, y), radius * self.scale, self.stroke);
    }

    fn dot(&self, x: f32, y: f32, radius: f32) {
        self.painter
            .circle_filled(self.at(x, y), radius * self.scale, self.stroke.color);
    }

    fn frame(&self, from: (f32, f32), to: (f32, f32), radius: u8) {
        self.painter.rect_stroke(
            Rect::from_min_max(self.at(from.0, from.1), self.at(to.0, to.1)),
            CornerRadius::same(radius),
            self.stroke,
            StrokeKind::Middle,
        );
    }

    /// Part of an ellipse, angles in turns clockwise from the right.
    fn arc(&self, centre: (f32, f32), radii: (f32, f32), from: f32, to: f32) {
        let points: Vec<(f32, f32)> = (0_u8..=20)
            .map(|step| {
                let turn = from + (to - from) * f32::from(step) / 20.0;
                let (sin, cos) = (turn * std::f32::consts::TAU).sin_cos();
                (centre.0 + radii.0 * cos, centre.1 + radii.1 * sin)
            })
            .collect();
        self.line(&points);
    }

    fn shield(&self) {
        self.closed(&[
            (12.0, 3.0),
            (15.5, 4.9),
            (19.5, 5.8),
            (19.5, 11.5),
            (18.6, 14.9),
            (16.3, 18.0),
            (12.0, 21.0),
            (7.7, 18.0),
            (5.4, 14.9),
            (4.5, 11.5),
            (4.5, 5.8),
            (8.5, 4.9),
        ]);
    }

    fn bell_off(&self) {
        self.line(&[
            (4.5, 17.0),
            (6.5, 14.0),
            (6.5, 10.0),
            (8.2, 6.2),
            (12.0, 4.5),
            (15.8, 6.2),
            (17.5, 10.0),
            (17.5, 14.0),
            (19.5, 17.0),
            (4.5, 17.0),
        ]);
        self.arc((12.0, 18.5), (2.2, 2.2), 0.05, 0.45);
        self.line(&[(4.0, 20.5), (20.0, 3.5)]);
    }

    fn chat(&self) {
        self.closed(&[
            (5.5, 4.5),
            (18.5, 4.5),
            (20.5, 6.5),
            (20.5, 14.5),
            (18.5, 16.5),
            (9.5, 16.5),
            (5.0, 20.5),
            (5.0, 16.4),
            (3.5, 14.5),
            (3.5, 6.5),
        ]);
        self.line(&[(8.0, 9.0), (16.0, 9.0)]);
        self.line(&[(8.0, 12.4), (13.0, 12.4)]);
    }

    fn eye(&self) {
        self.arc((12.0, 16.5), (11.5, 11.0), 0.567, 0.933);
        self.arc((12.0, 7.5), (11.5, 11.0), 0.067, 0.433);
        self.circle(12.0, 12.0, 3.0);
    }

    fn file(&self) {
        self.closed(&[
            (6.0, 3.5),
            (13.5, 3.5),
            (18.5, 8.5),
            (18.5, 20.5),
            (6.0, 20.5),
        ]);
        self.line(&[(13.5, 3.5), (13.5, 8.5), (18.5, 8.5)]);
        self.line(&[(9.0, 13.0), (15.5, 13.0)]);
        self.line(&[(9.0, 16.5), (13.5, 16.5)]);
    }

    fn sparkle(&self) {
        self.closed(&[
            (10.0, 4.0),
            (12.0, 10.0),
            (18.0, 12.0),
            (12.0, 14.0),
            (10.0, 20.0),
            (8.0, 14.0),
            (2.0, 12.0),
            (8.0, 10.0),
        ]);
        self.line(&[(18.5, 3.0), (18.5, 7.0)]);
        self.line(&[(16.5, 5.0), (20.5, 5.0)]);
    }

    fn draw(&self, icon: Icon) {
        match icon {
            Icon::Alert => {
                self.circle(12.0, 12.0, 9.0);
                self.line(&[(12.0, 7.5), (12.0, 12.8)]);
                self.dot(12.0, 16.4, 1.2);
            }
            Icon::Back => {
                self.line(&[(14.5, 5.5), (8.0, 12.0), (14.5, 18.5)]);
            }
            Icon::BellOff => self.bell_off(),
            Icon::Block => {
                self.circle(12.0, 12.0, 9.0);
                self.line(&[(5.7, 5.7), (18.3, 18.3)]);
            }
            Icon::Check => self.line(&[(5.0, 12.5), (10.0, 17.5), (19.5, 7.0)]),
            Icon::Checks => {
                self.line(&[(1.0, 12.5), (6.0, 17.5), (15.0, 7.0)]);
                self.line(&[(11.4, 16.1), (12.8, 17.5), (22.5, 7.0)]);
            }
            Icon::Chat => self.chat(),
            Icon::Clock => {
                self.circle(12.0, 12.0, 9.0);
                self.line(&[(12.0, 6.8), (12.0, 12.3), (15.6, 14.2)]);
            }
            Icon::Close => {
                self.line(&[(6.5, 6.5), (17.5, 17.5)]);
                self.line(&[(17.5, 6.5), (6.5, 17.5)]);
            }
            Icon::Search => {
                self.circle(10.5, 10.5, 6.0);
                self.line(&[(15.0, 15.0), (20.0, 20.0)]);
            }
            Icon::Down => {
                self.line(&[(5.5, 9.0), (12.0, 15.5), (18.5, 9.0)]);
            }
            Icon::Eye => self.eye(),
            Icon::EyeOff => {
                self.eye();
                self.line(&[(4.0, 20.0), (20.0, 4.0)]);
            }
            Icon::File => self.file(),
            Icon::Lock => {
                self.frame((5.0, 10.5), (19.0, 20.5), 2);
                self.arc((12.0, 10.5), (4.2, 6.5), 0.5, 1.0);
            }
            Icon::Relay => {
                self.line(&[(4.0, 8.5), (20.0, 8.5), (16.0, 4.5)]);
                self.line(&[(20.0, 15.5), (4.0, 15.5), (8.0, 19.5)]);
            }
            Icon::More => {
                for x in [5.0, 12.0, 19.0] {
                    self.dot(x, 12.0, 1.7);
                }
            }
            Icon::Plus => {
                self.line(&[(12.0, 5.0), (12.0, 19.0)]);
                self.line(&[(5.0, 12.0), (19.0, 12.0)]);
            }
            Icon::Send => {
                self.line(&[(12.0, 19.0), (12.0, 5.5)]);
                self.line(&[(6.0, 11.2), (12.0, 5.2), (18.0, 11.2)]);
            }
            Icon::Settings => {
                for (y, knob) in [(4.5, 15.5), (12.0, 8.0), (19.5, 14.0)] {
                    self.line(&[(4.0, y), (knob - 2.6, y)]);
                    self.line(&[(knob + 2.6, y), (20.0, y)]);
                    self.circle(knob, y, 2.3);
                }
            }
            Icon::Sparkle => self.sparkle(),
            Icon::Shield => self.shield(),
            Icon::ShieldAlert => {
                self.shield();
                self.line(&[(12.0, 8.0), (12.0, 12.4)]);
                self.dot(12.0, 15.8, 1.2);
            }
            Icon::ShieldCheck => {
                self.shield();
                self.line(&[(8.6, 12.0), (11.0, 14.4), (15.6, 9.4)]);
            }
            Icon::Up => {
                self.line(&[(5.5, 15.5), (12.0, 9.0), (18.5, 15.5)]);
            }
            Icon::Windows => {
                self.frame((3.5, 3.5), (15.0, 15.0), 2);
                self.line(&[
                    (18.0, 9.0),
                    (20.5, 9.0),
                    (20.5, 20.5),
                    (9.0, 20.5),
                    (9.0, 18.0),
                ]);
            }
        }
    }
}
