//! Draws what egui tessellated with the processor alone: the same picture on every machine.

use std::collections::HashMap;

use egui::epaint::{ImageData, ImageDelta, Primitive, Vertex};
use egui::{Color32, Context, FullOutput, Mesh, Rect, TextureId, TexturesDelta};
use egui_kittest::TestRenderer;
use image::RgbaImage;

/// A renderer for `egui_kittest`.
#[derive(Default)]
pub(crate) struct CpuRenderer {
    textures: HashMap<TextureId, Texture>,
}

struct Texture {
    size: [usize; 2],
    texels: Vec<Color32>,
}

impl TestRenderer for CpuRenderer {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for (id, changes) in std::mem::take(&mut delta.set) {
            for change in changes {
                self.update(id, &change);
            }
        }
        for id in std::mem::take(&mut delta.free) {
            self.textures.remove(&id);
        }
        delta.clear();
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let scale = output.pixels_per_point;
        let size = ctx.content_rect().size() * scale;
        let mut canvas = Canvas::new(size.x.round() as usize, size.y.round() as usize);
        for clipped in ctx.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = &clipped.primitive else {
                return Err("only meshes can be drawn".to_owned());
            };
            let texture = self
                .textures
                .get(&mesh.texture_id)
                .ok_or("a texture is missing")?;
            canvas.mesh(mesh, texture, clipped.clip_rect, scale);
        }
        canvas.into_image().ok_or_else(|| "wrong size".to_owned())
    }
}

impl CpuRenderer {
    fn update(&mut self, id: TextureId, change: &ImageDelta) {
        let ImageData::Color(image) = &change.image;
        let [width, height] = image.size;
        let Some([left, top]) = change.pos else {
            let texture = Texture {
                size: image.size,
                texels: image.pixels.clone(),
            };
            self.textures.insert(id, texture);
            return;
        };
        if let Some(texture) = self.textures.get_mut(&id) {
            for row in 0..height {
                let start = (top + row) * texture.size[0] + left;
                texture.texels[start..start + width]
                    .copy_from_slice(&image.pixels[row * width..(row + 1) * width]);
            }
        }
    }
}

impl Texture {
    /// The colour at a place from 0 to 1, blended between the four nearest texels.
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let [width, height] = self.size;
        let (x, y) = (u * width as f32 - 0.5, v * height as f32 - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (right_part, bottom_part) = (x - left, y - top);
        let texel = |x: f32, y: f32| {
            let x = (x.max(0.0) as usize).min(width - 1);
            let y = (y.max(0.0) as usize).min(height - 1);
            self.texels[y * width + x].to_array().map(f32::from)
        };
        let corners = [
            (texel(left, top), (1.0 - right_part) * (1.0 - bottom_part)),
            (texel(left + 1.0, top), right_part * (1.0 - bottom_part)),
            (texel(left, top + 1.0), (1.0 - right_part) * bottom_part),
            (texel(left + 1.0, top + 1.0), right_part * bottom_part),
        ];
        let mut sum = [0.0; 4];
        for (color, part) in corners {
            for (total, channel) in sum.iter_mut().zip(color) {
                *total += channel * part;
            }
        }
        sum
    }
}

/// Pixels with premultiplied, gamma-encoded colours, as egui blends them.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![[0.0, 0.0, 0.0, 255.0]; width * height],
        }
    }

    fn into_image(self) -> Option<RgbaImage> {
        let bytes = self
            .pixels
            .into_iter()
            .flatten()
            .map(|channel| channel.round().clamp(0.0, 255.0) as u8)
            .collect();
        RgbaImage::from_raw(self.width as u32, self.height as u32, bytes)
    }

    fn mesh(&mut self, mesh: &Mesh, texture: &Texture, clip: Rect, scale: f32) {
        let clip = Rect::from_min_max(
            (clip.min.to_vec2() * scale).round().to_pos2(),
            (clip.max.to_vec2() * scale).round().to_pos2(),
        );
        for corners in mesh.indices.chunks_exact(3) {
            let mut corners =
                [corners[0], corners[1], corners[2]].map(|index| mesh.vertices[index as usize]);
            for corner in &mut corners {
                corner.pos = (corner.pos.to_vec2() * scale).to_pos2();
            }
            self.triangle(corners, texture, clip);
        }
    }

    fn triangle(&mut self, mut corners: [Vertex; 3], texture: &Texture, clip: Rect) {
        let area = doubled_area(&corners);
        if area == 0.0 {
            return;
        }
        if area < 0.0 {
            corners.swap(1, 2);
        }
        let area = area.abs();
        let [a, b, c] = corners.map(|corner| corner.pos);
        let left = a.x.min(b.x).min(c.x).max(clip.left()).floor().max(0.0) as usize;
        let right = a.x.max(b.x).max(c.x).min(clip.right()).ceil().max(0.0) as usize;
        let top = a.y.min(b.y).min(c.y).max(clip.top()).floor().max(0.0) as usize;
        let bottom = a.y.max(b.y).max(c.y).min(clip.bottom()).ceil().max(0.0) as usize;
        let edges = [Edge::new(b, c), Edge::new(c, a), Edge::new(a, b)];
        let plain = plain_color(&corners, texture);
        for y in top..bottom.min(self.height) {
            for x in left..right.min(self.width) {
                let at = egui::pos2(x as f32 + 0.5, y as f32 + 0.5);
                if let Some(weights) = inside(&edges, at) {
                    let color = plain.unwrap_or_else(|| {
                        let parts = weights.map(|weight| weight / area);
                        blended_color(&corners, parts, texture)
                    });
                    self.put(x, y, color);
                }
            }
        }
    }

    fn put(&mut self, x: usize, y: usize, color: [f32; 4]) {
        let rest = 1.0 - color[3] / 255.0;
        let pixel = &mut self.pixels[y * self.width + x];
        for channel in 0..4 {
            pixel[channel] = color[channel] + pixel[channel] * rest;
        }
    }
}

/// The colour of a triangle that has only one.
fn plain_color(corners: &[Vertex; 3], texture: &Texture) -> Option<[f32; 4]> {
    let [first, others @ ..] = corners;
    let is_plain = others
        .iter()
        .all(|corner| corner.uv == first.uv && corner.color == first.color);
    is_plain.then(|| blended_color(corners, [1.0, 0.0, 0.0], texture))
}

/// The colour at a point, from the weights of the corners: texel times tint.
fn blended_color(corners: &[Vertex; 3], parts: [f32; 3], texture: &Texture) -> [f32; 4] {
    let (mut u, mut v) = (0.0, 0.0);
    let mut tint = [0.0; 4];
    for (corner, part) in corners.iter().zip(parts) {
        u += corner.uv.x * part;
        v += corner.uv.y * part;
        for (sum, channel) in tint.iter_mut().zip(corner.color.to_array()) {
            *sum += f32::from(channel) * part;
        }
    }
    let mut color = texture.sample(u, v);
    for (channel, tint) in color.iter_mut().zip(tint) {
        *channel *= tint / 255.0;
    }
    color
}

/// One side of a triangle; points to its right are inside.
struct Edge {
    from: egui::Pos2,
    along: egui::Vec2,
    /// Pixels exactly on the side belong to this triangle, not to its neighbour.
    owns_border: bool,
}

impl Edge {
    fn new(from: egui::Pos2, to: egui::Pos2) -> Self {
        let along = to - from;
        Self {
            from,
            along,
            owns_border: along.y < 0.0 || along.y == 0.0 && along.x > 0.0,
        }
    }

    fn distance(&self, at: egui::Pos2) -> f32 {
        let to = at - self.from;
        self.along.x * to.y - self.along.y * to.x
    }
}

fn doubled_area(corners: &[Vertex; 3]) -> f32 {
    Edge::new(corners[0].pos, corners[1].pos).distance(corners[2].pos)
}

/// The weights of the corners, if the point lies inside.
fn inside(edges: &[Edge; 3], at: egui::Pos2) -> Option<[f32; 3]> {
    let mut weights = [0.0; 3];
    for (weight, edge) in weights.iter_mut().zip(edges) {
        *weight = edge.distance(at);
        if *weight < 0.0 || *weight == 0.0 && !edge.owns_border {
            return None;
        }
    }
    Some(weights)
}
