// Planets that attract each other, and a Mandelbrot set: sums, products, fused ones, roots.
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { bodies = 5 };
struct body {
  double x, y, z, vx, vy, vz, mass;
};

static void advance(struct body *all, double step) {
  for (int i = 0; i < bodies; i++) {
    struct body *a = &all[i];
    for (int j = i + 1; j < bodies; j++) {
      struct body *b = &all[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      double square = dx * dx + dy * dy + dz * dz;
      double scale = step / (square * sqrt(square));
      a->vx -= dx * b->mass * scale;
      a->vy -= dy * b->mass * scale;
      a->vz -= dz * b->mass * scale;
      b->vx += dx * a->mass * scale;
      b->vy += dy * a->mass * scale;
      b->vz += dz * a->mass * scale;
    }
  }
  for (int i = 0; i < bodies; i++) {
    all[i].x += step * all[i].vx;
    all[i].y += step * all[i].vy;
    all[i].z += step * all[i].vz;
  }
}

static uint64_t mandelbrot(int size) {
  uint64_t inside = 0;
  for (int row = 0; row < size; row++) {
    for (int column = 0; column < size; column++) {
      double cr = 2.0 * column / size - 1.5, ci = 2.0 * row / size - 1.0;
      double zr = 0, zi = 0;
      int turn = 0;
      for (; turn < 50 && zr * zr + zi * zi < 4.0; turn++) {
        double next = zr * zr - zi * zi + cr;
        zi = 2.0 * zr * zi + ci;
        zr = next;
      }
      inside += turn;
    }
  }
  return inside;
}

uint64_t kernel(void) {
  struct body all[bodies];
  for (int i = 0; i < bodies; i++) {
    all[i] = (struct body){i * 3.1, i * i * 0.7, i * 0.3 - 1, 0.1 * i, 0.2 - 0.1 * i, 0.05 * i, 1.0 / (i + 1)};
  }
  for (int turn = 0; turn < 20000; turn++) advance(all, 0.001);
  uint64_t bits;
  memcpy(&bits, &all[2].x, sizeof bits);
  return bits ^ mandelbrot(100);
}
