// Draws the icons: the toolbar's as SVG files, one for each theme and state, and the extension's own as SVG and PNG.
// Run by `npm run icons`; what it writes is kept in the repository.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";

const images = join(dirname(fileURLToPath(import.meta.url)), "..", "images");

/** name of a way -> what is drawn on 16 by 16 units; lines, and shapes that are filled */
const glyphs = {
    restartFrame: { lines: "M3.5 8a4.5 4.5 0 1 0 1.6-3.45M5.2 1.8v2.9h2.9", fills: "M6.8 6v4l3.2-2z" },
    retry: { lines: "M3 3v10", fills: "M5.5 3.5v9l7.5-4.5z" },
    returnFromFrame: { lines: "M13 3v4.5a2 2 0 0 1-2 2H3.5M6.5 6.2 3.2 9.5l3.3 3.3", fills: "" },
    useValue: { lines: "M5 2.5C3 4.5 3 11.500 5 13.500M11 2.500c2 2 2 9 0 11M6 6.700h4M6 9.300h4", fills: "" },
};
const colours = { light: "#2568b4", dark: "#75beff" };
const refused = { light: "#a9a9a9", dark: "#6b6b6b" };

function drawn({ lines, fills }, colour) {
    const filled = fills ? `<path fill="${colour}" d="${fills}"/>` : "";
    return (
        `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">` +
        `<path fill="none" stroke="${colour}" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" d="${lines}"/>` +
        `${filled}</svg>\n`
    );
}

for (const theme of ["light", "dark"]) {
    mkdirSync(join(images, theme), { recursive: true });
    for (const [name, glyph] of Object.entries(glyphs)) {
        writeFileSync(join(images, theme, `${name}.svg`), drawn(glyph, colours[theme]));
        writeFileSync(join(images, theme, `${name}-refused.svg`), drawn(glyph, refused[theme]));
    }
}
writeFileSync(join(images, "icon.svg"), drawn(glyphs.restartFrame, "currentColor"));

// The extension's icon: the same arrow and triangle, by their distances from each point, smoothed over one unit.

const size = 256;

/** How far a point lies outside of an open ring, in pixels; negative inside the stroke. */
function ring(x, y, radius, width, from, to) {
    const turn = (Math.atan2(y, x) + 2 * Math.PI) % (2 * Math.PI);
    const isOpen = turn > from && turn < to;
    const ends = [from, to].map((angle) => Math.hypot(x - radius * Math.cos(angle), y - radius * Math.sin(angle)));
    return isOpen ? Math.min(...ends) - width / 2 : Math.abs(Math.hypot(x, y) - radius) - width / 2;
}

/** How far a point lies outside of a triangle whose corners go clockwise on the screen. */
function triangle(x, y, corners) {
    return Math.max(
        ...corners.map(([ax, ay], i) => {
            const [bx, by] = corners[(i + 1) % 3];
            return ((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / Math.hypot(bx - ax, by - ay);
        }),
    );
}

const coverage = (distance) => Math.min(1, Math.max(0, 0.5 - distance));

function pixel(column, row) {
    const x = column - size / 2 + 0.5;
    const y = row - size / 2 + 0.5;
    const corner = 52;
    const out = Math.hypot(Math.max(0, Math.abs(x) - 128 + corner), Math.max(0, Math.abs(y) - 128 + corner)) - corner;
    const gap = [Math.PI * 1.06, Math.PI * 1.35];
    const head = [
        [-52, -94],
        [-23, -42],
        [-78, -46],
    ];
    const play = [
        [-20, -34],
        [40, 0],
        [-20, 34],
    ];
    const white = Math.max(coverage(ring(x, y, 78, 18, ...gap)), coverage(triangle(x, y, head)), coverage(triangle(x, y, play)));
    const ground = [0x1f, 0x5f, 0xa8];
    return [...ground.map((value) => Math.round(value + (255 - value) * white)), Math.round(255 * coverage(out))];
}

function chunk(type, data) {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(data.length, 0);
    body.copy(framed, 4);
    framed.writeUInt32BE(crc32(body), body.length + 4);
    return framed;
}

const header = Buffer.alloc(13);
header.writeUInt32BE(size, 0);
header.writeUInt32BE(size, 4);
header.set([8, 6, 0, 0, 0], 8); // 8 bits for each of red, green, blue and opacity
const rows = [];
for (let row = 0; row < size; row++) {
    rows.push(0);
    for (let column = 0; column < size; column++) rows.push(...pixel(column, row));
}
writeFileSync(
    join(images, "icon.png"),
    Buffer.concat([
        Buffer.from("89504e470d0a1a0a", "hex"),
        chunk("IHDR", header),
        chunk("IDAT", deflateSync(Buffer.from(rows), { level: 9 })),
        chunk("IEND", Buffer.alloc(0)),
    ]),
);
