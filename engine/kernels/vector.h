// Vectors of the instruction set that this translation unit is compiled for.
//
// Vector<T, N> holds N numbers and takes C++'s operators lane by lane; a comparison
// gives whole numbers of the same width, −1 where it holds and 0 elsewhere. What the
// language lacks (fused multiply-add, square root, parts of a vector) stands here.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "kernels/kernels.h"

#if defined(__AVX512F__)
#define THALWEG_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define THALWEG_VECTOR_BYTES 32
#else
#define THALWEG_VECTOR_BYTES 16
#endif

#define THALWEG_INLINE inline __attribute__((always_inline))

#if defined(__clang__)
#define THALWEG_UNROLL _Pragma("unroll")
#else
#define THALWEG_UNROLL _Pragma("GCC unroll 20")
#endif

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {

template <class T>
inline constexpr int LANES = THALWEG_VECTOR_BYTES / static_cast<int>(sizeof(T));

template <class T, int N>
struct VectorType {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T, int N = LANES<T>>
using Vector = typename VectorType<T, N>::type;

using Float32 = Vector<float>;
using Float64 = Vector<double>;
using Int32 = Vector<int32_t>;
using Int64 = Vector<int64_t>;
using UInt32 = Vector<uint32_t>;
using UInt64 = Vector<uint64_t>;
using Bytes = Vector<uint8_t>;
using HalfFloat32 = Vector<float, LANES<double>>;  // as many lanes as Float64 has

// What a vector is made of.
template <class V>
struct Of;
template <>
struct Of<Float32> {
  using Scalar = float;
  using Whole = Int32;
  using Bits = UInt32;
};
template <>
struct Of<Float64> {
  using Scalar = double;
  using Whole = Int64;
  using Bits = UInt64;
};
template <>
struct Of<Int32> {
  using Scalar = int32_t;
};
template <>
struct Of<UInt32> {
  using Scalar = uint32_t;
};
template <>
struct Of<UInt64> {
  using Scalar = uint64_t;
};
template <>
struct Of<Bytes> {
  using Scalar = uint8_t;
};
template <class V>
using Scalar = typename Of<V>::Scalar;
template <class V>
using Whole = typename Of<V>::Whole;
template <class V>
using Bits = typename Of<V>::Bits;  // sums wrap, as those of Whole must not

template <class V, class T>
THALWEG_INLINE V load(const T* from) {
  V result;
  __builtin_memcpy(&result, from, sizeof(V));
  return result;
}

template <class V, class T>
THALWEG_INLINE void store(T* to, V value) {
  __builtin_memcpy(to, &value, sizeof(V));
}

template <class V, class T>
THALWEG_INLINE V repeat(T value) {
  return value - V{};  // not V{} + value, which would turn −0 into 0
}

// 0, 1, 2, … in the lanes.
template <class T, int N = LANES<T>>
THALWEG_INLINE Vector<T, N> counting() {
  Vector<T, N> result{};
  for (int i = 0; i < N; ++i) result[i] = T(i);
  return result;
}

// memcpy of fewer than 2 · `most` bytes, without a call.
template <size_t most>
THALWEG_INLINE void copy_few(char* to, const char* from, size_t bytes) {
  size_t done = 0;
  if (bytes & most) {
    __builtin_memcpy(to, from, most);
    done = most;
  }
  if constexpr (most > 1) copy_few<most / 2>(to + done, from + done, bytes - done);
}

#if defined(__AVX512F__)
THALWEG_INLINE unsigned first_bits(Index count) { return (1u << count) - 1; }
#elif defined(__AVX2__)
// −1 in the first `count` lanes.
template <class T>
THALWEG_INLINE __m256i first_lanes(Index count) {
  using Number = Vector<int32_t>;
  alignas(32) static constexpr int32_t EDGE[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  const Index halves = count * Index(sizeof(T) / 4);
  return (__m256i)load<Number>(EDGE + 8 - halves);
}
#endif

// The first `count` lanes from memory, 0 in the others; 0 < count < lanes.
template <class V, class T>
THALWEG_INLINE V load_part(const T* from, Index count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64 && sizeof(T) == 4) {
    return (V)_mm512_maskz_loadu_epi32((__mmask16)first_bits(count), from);
  } else if constexpr (sizeof(V) == 64 && sizeof(T) == 8) {
    return (V)_mm512_maskz_loadu_epi64((__mmask8)first_bits(count), from);
  } else if constexpr (sizeof(V) == 32 && sizeof(T) == 4) {
    return (V)_mm256_maskz_loadu_epi32((__mmask8)first_bits(count), from);
  } else if constexpr (sizeof(V) == 16 && sizeof(T) == 1) {
    return (V)_mm_maskz_loadu_epi8((__mmask16)first_bits(count), from);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(V) == 32 && sizeof(T) >= 4) {
    return (V)_mm256_maskload_epi32((const int*)from, first_lanes<T>(count));
  }
#endif
  char bytes[sizeof(V)] = {};
  copy_few<sizeof(V) / 2>(bytes, (const char*)from, static_cast<size_t>(count) * sizeof(T));
  return load<V>(bytes);
}

template <class V, class T>
THALWEG_INLINE void store_part(T* to, V value, Index count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64 && sizeof(T) == 4) {
    return _mm512_mask_storeu_epi32(to, (__mmask16)first_bits(count), (__m512i)value);
  } else if constexpr (sizeof(V) == 64 && sizeof(T) == 8) {
    return _mm512_mask_storeu_epi64(to, (__mmask8)first_bits(count), (__m512i)value);
  } else if constexpr (sizeof(V) == 32 && sizeof(T) == 4) {
    return _mm256_mask_storeu_epi32(to, (__mmask8)first_bits(count), (__m256i)value);
  } else if constexpr (sizeof(V) == 16 && sizeof(T) == 1) {
    return _mm_mask_storeu_epi8(to, (__mmask16)first_bits(count), (__m128i)value);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(V) == 32 && sizeof(T) >= 4) {
    return _mm256_maskstore_epi32((int*)to, first_lanes<T>(count), (__m256i)value);
  }
#endif
  char bytes[sizeof(V)];
  store(bytes, value);
  copy_few<sizeof(V) / 2>((char*)to, bytes, static_cast<size_t>(count) * sizeof(T));
}

// Bytes as whole numbers of 4 or 8 bytes, as many as fit into a vector.
template <class T>
THALWEG_INLINE Vector<T> widen_bytes(Vector<uint8_t, LANES<T>> bytes) {
#if defined(__SSE2__)
  __m128i low;
  if constexpr (sizeof(bytes) == 16) {
    low = (__m128i)bytes;
  } else {
    uint64_t word = 0;
    __builtin_memcpy(&word, &bytes, sizeof(bytes));
    low = _mm_cvtsi64_si128(static_cast<int64_t>(word));
  }
#endif
#if defined(__AVX512F__)
  return sizeof(T) == 4 ? (Vector<T>)_mm512_maskz_cvtepu8_epi32(0xffff, low)
                        : (Vector<T>)_mm512_maskz_cvtepu8_epi64(0xff, low);
#elif defined(__AVX2__)
  return sizeof(T) == 4 ? (Vector<T>)_mm256_cvtepu8_epi32(low)
                        : (Vector<T>)_mm256_cvtepu8_epi64(low);
#elif defined(__SSE2__)
  const __m128i zero = _mm_setzero_si128();
  low = _mm_unpacklo_epi16(_mm_unpacklo_epi8(low, zero), zero);
  return (Vector<T>)(sizeof(T) == 4 ? low : _mm_unpacklo_epi32(low, zero));
#else
  return __builtin_convertvector(bytes, Vector<T>);
#endif
}

// 1 where the comparison of numbers of 4 or 8 bytes holds, else 0, as bytes.
template <class T, class M>
THALWEG_INLINE Vector<uint8_t, LANES<T>> narrow_mask(M mask) {
  Vector<uint8_t, LANES<T>> result;
#if defined(__AVX512F__)
  const __m512i lanes = (__m512i)mask;
  const __mmask16 bits =
      sizeof(T) == 4 ? _mm512_movepi32_mask(lanes) : (__mmask16)_mm512_movepi64_mask(lanes);
  const __m128i bytes = _mm_maskz_set1_epi8(bits, 1);
#elif defined(__SSE2__)
#if defined(__AVX2__)
  const __m128i low = _mm256_castsi256_si128((__m256i)mask);
  const __m128i high = _mm256_extracti128_si256((__m256i)mask, 1);
#else
  const __m128i low = (__m128i)mask, high = low;
#endif
  const __m128i shorts = _mm_packs_epi32(low, high);
  __m128i bytes = _mm_packs_epi16(shorts, shorts);
  if (sizeof(T) == 8) bytes = _mm_packs_epi16(bytes, bytes);
  bytes = _mm_and_si128(bytes, _mm_set1_epi8(1));
#else
  const auto bytes = __builtin_convertvector(mask, Vector<int8_t, LANES<T>>) & 1;
#endif
  __builtin_memcpy(&result, &bytes, sizeof(result));
  return result;
}

// a · b + c: rounded once where the instruction set can, twice elsewhere.
THALWEG_INLINE Float32 multiply_add(Float32 a, Float32 b, Float32 c) {
#if defined(__AVX512F__)
  return (Float32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__) && defined(__AVX2__)
  return (Float32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Float32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

THALWEG_INLINE Float64 multiply_add(Float64 a, Float64 b, Float64 c) {
#if defined(__AVX512F__)
  return (Float64)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__) && defined(__AVX2__)
  return (Float64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__aarch64__)
  return (Float64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
  return a * b + c;
#endif
}

THALWEG_INLINE Float32 square_root(Float32 x) {
#if defined(__AVX512F__)
  return (Float32)_mm512_maskz_sqrt_ps(0xffff, (__m512)x);
#elif defined(__AVX2__)
  return (Float32)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (Float32)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
  return (Float32)vsqrtq_f32((float32x4_t)x);
#else
  for (int i = 0; i < LANES<float>; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

THALWEG_INLINE Float64 square_root(Float64 x) {
#if defined(__AVX512F__)
  return (Float64)_mm512_maskz_sqrt_pd(0xff, (__m512d)x);
#elif defined(__AVX2__)
  return (Float64)_mm256_sqrt_pd((__m256d)x);
#elif defined(__SSE2__)
  return (Float64)_mm_sqrt_pd((__m128d)x);
#elif defined(__aarch64__)
  return (Float64)vsqrtq_f64((float64x2_t)x);
#else
  for (int i = 0; i < LANES<double>; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
#endif
}

// Whether a comparison holds in all lanes.
template <class M>
THALWEG_INLINE bool all(M mask) {
  static_assert(sizeof(M) == THALWEG_VECTOR_BYTES);
#if defined(__AVX512F__)
  return _mm512_movepi32_mask((__m512i)mask) == 0xffff;
#elif defined(__AVX2__)
  return _mm256_movemask_epi8((__m256i)mask) == -1;
#elif defined(__SSE2__)
  return _mm_movemask_epi8((__m128i)mask) == 0xffff;
#else
  const Vector<uint64_t> halves = (Vector<uint64_t>)mask;
  return (halves[0] & halves[1]) == ~uint64_t{};
#endif
}

// Bit i: a comparison of numbers of 4 or 8 bytes holds in lane i.
template <class T, class M>
THALWEG_INLINE unsigned lane_bits(M mask) {
  static_assert(sizeof(M) == THALWEG_VECTOR_BYTES);
#if defined(__AVX512F__)
  return sizeof(T) == 4 ? unsigned(_mm512_movepi32_mask((__m512i)mask))
                        : unsigned(_mm512_movepi64_mask((__m512i)mask));
#elif defined(__AVX2__)
  return unsigned(sizeof(T) == 4 ? _mm256_movemask_ps((__m256)mask)
                                 : _mm256_movemask_pd((__m256d)mask));
#elif defined(__SSE2__)
  return unsigned(sizeof(T) == 4 ? _mm_movemask_ps((__m128)mask)
                                 : _mm_movemask_pd((__m128d)mask));
#else
  unsigned bits = 0;
  for (int i = 0; i < LANES<T>; ++i) bits |= unsigned(mask[i] != 0) << i;
  return bits;
#endif
}

#if defined(__AVX2__) && !defined(__AVX512F__)
// Of each set of eight lanes the numbers, in order, a byte each; then 0.
struct LaneSets {
  uint64_t numbers[256];
  constexpr LaneSets() : numbers() {
    for (unsigned set = 0; set < 256; ++set)
      for (unsigned lane = 8; lane-- > 0;)
        if (set >> lane & 1) numbers[set] = numbers[set] << 8 | lane;
  }
};
inline constexpr LaneSets LANE_SETS;
// Four lanes of 8 bytes as eight of 4.
inline constexpr uint8_t LANE_PAIRS[16] = {0x00, 0x03, 0x0c, 0x0f, 0x30, 0x33, 0x3c, 0x3f,
                                           0xc0, 0xc3, 0xcc, 0xcf, 0xf0, 0xf3, 0xfc, 0xff};
#endif

#if defined(__AVX2__)
// The lanes whose bits are set, moved to the front; any numbers behind them.
template <class V>
THALWEG_INLINE V first_of(V lanes, unsigned bits) {
#if defined(__AVX512F__)
  return sizeof(lanes[0]) == 4
             ? (V)_mm512_maskz_compress_epi32((__mmask16)bits, (__m512i)lanes)
             : (V)_mm512_maskz_compress_epi64((__mmask8)bits, (__m512i)lanes);
#else
  const uint64_t set = LANE_SETS.numbers[sizeof(lanes[0]) == 4 ? bits : LANE_PAIRS[bits]];
  const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<int64_t>(set)));
  return (V)_mm256_permutevar8x32_epi32((__m256i)lanes, order);
#endif
}
#endif

template <class V>
THALWEG_INLINE V absolute(V x) {
  using W = Whole<V>;
  return (V)((W)x & ~(W)repeat<V>(Scalar<V>(-0.0)));
}

// The size of the first with the sign of the second.
template <class V>
THALWEG_INLINE V copy_sign(V size, V sign) {
  using W = Whole<V>;
  const W bit = (W)repeat<V>(Scalar<V>(-0.0));
  return (V)(((W)size & ~bit) | ((W)sign & bit));
}

template <class V>
THALWEG_INLINE V floor(V x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm512_maskz_roundscale_ps(0xffff, (__m512)x, _MM_FROUND_TO_NEG_INF);
  } else {
    return (V)_mm512_maskz_roundscale_pd(0xff, (__m512d)x, _MM_FROUND_TO_NEG_INF);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm256_floor_ps((__m256)x);
  } else {
    return (V)_mm256_floor_pd((__m256d)x);
  }
#elif defined(__aarch64__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)vrndmq_f32((float32x4_t)x);
  } else {
    return (V)vrndmq_f64((float64x2_t)x);
  }
#else
  // Adding and taking away the least number without a fraction rounds to a whole one.
  const V whole = repeat<V>(Scalar<V>(sizeof(Scalar<V>) == 4 ? 0x1p23 : 0x1p52));
  const V size = absolute(x);
  V rounded = copy_sign((size + whole) - whole, x);
  rounded = rounded > x ? rounded - 1 : rounded;
  return size < whole ? copy_sign(rounded, x) : x;
#endif
}

// As x86's instructions: the second where either is NaN or both are zero.
template <class V>
THALWEG_INLINE V larger(V a, V b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);
  } else {
    return (V)_mm512_maskz_max_pd(0xff, (__m512d)a, (__m512d)b);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm256_max_ps((__m256)a, (__m256)b);
  } else {
    return (V)_mm256_max_pd((__m256d)a, (__m256d)b);
  }
#elif defined(__SSE2__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm_max_ps((__m128)a, (__m128)b);
  } else {
    return (V)_mm_max_pd((__m128d)a, (__m128d)b);
  }
#else
  return a > b ? a : b;
#endif
}

template <class V>
THALWEG_INLINE V smaller(V a, V b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b);
  } else {
    return (V)_mm512_maskz_min_pd(0xff, (__m512d)a, (__m512d)b);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm256_min_ps((__m256)a, (__m256)b);
  } else {
    return (V)_mm256_min_pd((__m256d)a, (__m256d)b);
  }
#elif defined(__SSE2__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm_min_ps((__m128)a, (__m128)b);
  } else {
    return (V)_mm_min_pd((__m128d)a, (__m128d)b);
  }
#else
  return a < b ? a : b;
#endif
}

// The larger and the smaller, where NaN wins, whichever of the two it is.
THALWEG_INLINE Float32 maximum(Float32 a, Float32 b) { return a != a ? a : larger(a, b); }
THALWEG_INLINE Float64 maximum(Float64 a, Float64 b) { return a != a ? a : larger(a, b); }
THALWEG_INLINE Float32 minimum(Float32 a, Float32 b) { return a != a ? a : smaller(a, b); }
THALWEG_INLINE Float64 minimum(Float64 a, Float64 b) { return a != a ? a : smaller(a, b); }
template <class V>
THALWEG_INLINE V maximum(V a, V b) {
  return ((a > b) | (a != a)) ? a : b;
}
template <class V>
THALWEG_INLINE V minimum(V a, V b) {
  return ((a < b) | (a != a)) ? a : b;
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
