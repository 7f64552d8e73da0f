// Vectors of numbers as the matrix product uses them.
#pragma once

#include "kernels/vector.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace products {

template <class T>
constexpr int LANES = THALWEG_VECTOR_BYTES / int(sizeof(T));

template <class T, int N>
struct Lanes {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T>
struct Lanes<T, 1> {
  using type = T;
};

template <class V, class T>
THALWEG_INLINE V load(const T* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class V, class T>
THALWEG_INLINE void store(T* to, V v) {
  __builtin_memcpy(to, &v, sizeof v);
}

template <class V, class T>
THALWEG_INLINE V repeat(T x) {
  return x - V{};
}

// a * b + c, rounded once where the instruction set can.
template <class V>
THALWEG_INLINE V multiply_add(V a, V b, V c) {
  return a * b + c;
}

#define THALWEG_FUSED(T, N, native, expression)                                           \
  THALWEG_INLINE Lanes<T, N>::type multiply_add(Lanes<T, N>::type a, Lanes<T, N>::type b, \
                                                Lanes<T, N>::type c) {                    \
    return (Lanes<T, N>::type)expression((native)a, (native)b, (native)c);                \
  }
#if defined(__FMA__) || defined(__aarch64__)
THALWEG_FUSED(float, 1, float, __builtin_fmaf)
THALWEG_FUSED(double, 1, double, __builtin_fma)
#endif
#if defined(__FMA__)
THALWEG_FUSED(float, 4, __m128, _mm_fmadd_ps)
THALWEG_FUSED(double, 2, __m128d, _mm_fmadd_pd)
THALWEG_FUSED(float, 8, __m256, _mm256_fmadd_ps)
THALWEG_FUSED(double, 4, __m256d, _mm256_fmadd_pd)
#endif
#if defined(__AVX512F__)
THALWEG_FUSED(float, 16, __m512, _mm512_fmadd_ps)
THALWEG_FUSED(double, 8, __m512d, _mm512_fmadd_pd)
#endif
#if defined(__aarch64__)
THALWEG_INLINE float32x4_t fused(float32x4_t a, float32x4_t b, float32x4_t c) {
  return vfmaq_f32(c, a, b);
}
THALWEG_INLINE float64x2_t fused(float64x2_t a, float64x2_t b, float64x2_t c) {
  return vfmaq_f64(c, a, b);
}
THALWEG_FUSED(float, 4, float32x4_t, fused)
THALWEG_FUSED(double, 2, float64x2_t, fused)
#endif
#undef THALWEG_FUSED

// Pairs from the low and the high halves of every 16 bytes of a and b.
#define THALWEG_INTERLEAVE(T, N, half, ...)                                 \
  THALWEG_INLINE Lanes<T, N>::type interleave_##half(Lanes<T, N>::type a,   \
                                                     Lanes<T, N>::type b) { \
    return __builtin_shufflevector(a, b, __VA_ARGS__);                      \
  }
THALWEG_INTERLEAVE(float, 4, low, 0, 4, 1, 5)
THALWEG_INTERLEAVE(float, 4, high, 2, 6, 3, 7)
THALWEG_INTERLEAVE(double, 2, low, 0, 2)
THALWEG_INTERLEAVE(double, 2, high, 1, 3)
#if THALWEG_VECTOR_BYTES >= 32
THALWEG_INTERLEAVE(float, 8, low, 0, 8, 1, 9, 4, 12, 5, 13)
THALWEG_INTERLEAVE(float, 8, high, 2, 10, 3, 11, 6, 14, 7, 15)
THALWEG_INTERLEAVE(double, 4, low, 0, 4, 2, 6)
THALWEG_INTERLEAVE(double, 4, high, 1, 5, 3, 7)
#endif
#if THALWEG_VECTOR_BYTES >= 64
THALWEG_INTERLEAVE(float, 16, low, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
THALWEG_INTERLEAVE(float, 16, high, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15,
                   31)
THALWEG_INTERLEAVE(double, 8, low, 0, 8, 2, 10, 4, 12, 6, 14)
THALWEG_INTERLEAVE(double, 8, high, 1, 9, 3, 11, 5, 13, 7, 15)
#endif
#undef THALWEG_INTERLEAVE

#define THALWEG_JOIN(T, N, ...)                                    \
  THALWEG_INLINE Lanes<T, N>::type join(Lanes<T, N / 2>::type a,   \
                                        Lanes<T, N / 2>::type b) { \
    return __builtin_shufflevector(a, b, __VA_ARGS__);             \
  }
#if THALWEG_VECTOR_BYTES >= 32
THALWEG_JOIN(float, 8, 0, 1, 2, 3, 4, 5, 6, 7)
THALWEG_JOIN(double, 4, 0, 1, 2, 3)
#endif
#if THALWEG_VECTOR_BYTES >= 64
THALWEG_JOIN(float, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
THALWEG_JOIN(double, 8, 0, 1, 2, 3, 4, 5, 6, 7)
#endif
#undef THALWEG_JOIN

// 16 bytes from each of several places.
template <class T, int N>
THALWEG_INLINE typename Lanes<T, N>::type gather_units(const T* from, Index stride) {
  if constexpr (N * sizeof(T) == 16) {
    return load<typename Lanes<T, N>::type>(from);
  } else {
    const T* second = from + N * Index(sizeof(T)) / 32 * stride;
    return join(gather_units<T, N / 2>(from, stride),
                gather_units<T, N / 2>(second, stride));
  }
}

// Transposes the square of numbers that each 16 bytes of several vectors make.
template <class V>
THALWEG_INLINE void transpose_lanes(const V (&rows)[2], V (&columns)[2]) {
  columns[0] = interleave_low(rows[0], rows[1]);
  columns[1] = interleave_high(rows[0], rows[1]);
}

template <class V>
THALWEG_INLINE void transpose_lanes(const V (&rows)[4], V (&columns)[4]) {
  using Pairs = typename Lanes<double, sizeof(V) / 8>::type;
  const Pairs left01 = (Pairs)interleave_low(rows[0], rows[1]);
  const Pairs left23 = (Pairs)interleave_low(rows[2], rows[3]);
  const Pairs right01 = (Pairs)interleave_high(rows[0], rows[1]);
  const Pairs right23 = (Pairs)interleave_high(rows[2], rows[3]);
  columns[0] = (V)interleave_low(left01, left23);
  columns[1] = (V)interleave_high(left01, left23);
  columns[2] = (V)interleave_low(right01, right23);
  columns[3] = (V)interleave_high(right01, right23);
}

}  // namespace products
}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
