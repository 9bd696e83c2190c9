// Products of matrices of single numbers and sums over bytes, which the compiler makes vectors of.
#include <stdint.h>

enum { size = 96 };
static float a[size][size], b[size][size], c[size][size];
static uint8_t bytes[1 << 16];

uint64_t kernel(void) {
  for (int i = 0; i < size; i++) {
    for (int j = 0; j < size; j++) {
      a[i][j] = (float)(i * 7 + j * 3) / 11.0f;
      b[i][j] = (float)(i - j) / 13.0f;
      c[i][j] = 0;
    }
  }
  for (int i = 0; i < size; i++) {
    for (int k = 0; k < size; k++) {
      for (int j = 0; j < size; j++) c[i][j] += a[i][k] * b[k][j];
    }
  }
  uint64_t result = 0;
  for (int i = 0; i < size; i++) result = result * 31 + (uint64_t)(int64_t)c[i][size - 1 - i];
  for (int i = 0; i < (int)sizeof bytes; i++) bytes[i] = (uint8_t)(i * 13 + (i >> 8));
  for (int turn = 0; turn < 20; turn++) {
    uint32_t sum = 0;
    for (int i = 0; i < (int)sizeof bytes; i++) sum += bytes[i];
    bytes[turn] ^= (uint8_t)sum;
    result += sum;
  }
  return result;
}
