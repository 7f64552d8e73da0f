// Random words by counting: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011).
#pragma once

#include "kernels/vector.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {

// The products of the lower halves of all lanes.
THALWEG_INLINE UInt64 multiply_halves(UInt64 a, UInt64 b) {
#if defined(__AVX512F__)
  return (UInt64)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (UInt64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (UInt64)_mm_mul_epu32((__m128i)a, (__m128i)b);
#elif defined(__ARM_NEON)
  return (UInt64)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
#else
  return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

// a0 b0 a1 b1 …
THALWEG_INLINE void store_alternating(uint32_t* out, UInt64 a, UInt64 b) {
#if THALWEG_VECTOR_BYTES == 64
  store(out, __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
  store(out + 16, __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15));
#elif THALWEG_VECTOR_BYTES == 32
  store(out, __builtin_shufflevector(a, b, 0, 4, 1, 5));
  store(out + 8, __builtin_shufflevector(a, b, 2, 6, 3, 7));
#else
  store(out, __builtin_shufflevector(a, b, 0, 2));
  store(out + 4, __builtin_shufflevector(a, b, 1, 3));
#endif
}

struct Philox {
  static constexpr int ROUNDS = 10;
  static constexpr int WORDS = 4 * LANES<uint64_t>;  // of one block of counters

  uint64_t key0[ROUNDS], key1[ROUNDS];  // of 32 bits each
  UInt64 word1, word2;

  THALWEG_INLINE Philox(uint32_t seed, uint32_t step, uint32_t operation)
      : word1(repeat<UInt64>(uint64_t(operation))), word2(repeat<UInt64>(uint64_t(step))) {
    for (uint32_t i = 0; i < ROUNDS; ++i) {
      key0[i] = seed + i * 0x9E3779B9u;
      key1[i] = i * 0xBB67AE85u;
    }
  }

  // The words of the counters from `counter` on. Upper halves of lanes hold anything.
  THALWEG_INLINE void block(uint64_t counter, uint32_t* out) const {
    UInt64 words[4] = {repeat<UInt64>(counter), word1, word2, UInt64{}};
    for (int i = 0; i < LANES<uint64_t>; ++i) words[0][i] += uint64_t(i);
    const UInt64 multiplier0 = repeat<UInt64>(uint64_t(0xD2511F53));
    const UInt64 multiplier1 = repeat<UInt64>(uint64_t(0xCD9E8D57));
    for (int i = 0; i < ROUNDS; ++i) {
      const UInt64 product0 = multiply_halves(words[0], multiplier0);
      const UInt64 product1 = multiply_halves(words[2], multiplier1);
      words[0] = (product1 >> 32) ^ words[1] ^ repeat<UInt64>(key0[i]);
      words[1] = product1;
      words[2] = (product0 >> 32) ^ words[3] ^ repeat<UInt64>(key1[i]);
      words[3] = product0;
    }
    const UInt64 lower = repeat<UInt64>(uint64_t(0xffffffff));
    store_alternating(out, (words[0] & lower) | (words[1] << 32),
                      (words[2] & lower) | (words[3] << 32));
  }

  // Words skip … skip+n-1 of one block.
  void part(uint64_t counter, Index skip, Index n, uint32_t* out) const {
    uint32_t words[WORDS];
    block(counter, words);
    __builtin_memcpy(out, words + skip, static_cast<size_t>(n) * sizeof(uint32_t));
  }
};

inline void random_bits(uint32_t seed, uint32_t step, uint32_t operation, Index first,
                        Index n, uint32_t* out) {
  const Philox philox(seed, step, operation);
  uint64_t counter = static_cast<uint64_t>(first) / 4;
  Index i = 0;
  if (const Index skip = first % 4; skip != 0 && n > 0) {
    const Index rest = Philox::WORDS - skip;
    i = n < rest ? n : rest;
    philox.part(counter, skip, i, out);
    counter += LANES<uint64_t>;
  }
  for (; i + Philox::WORDS <= n; i += Philox::WORDS, counter += LANES<uint64_t>) {
    philox.block(counter, out + i);
  }
  if (i < n) philox.part(counter, 0, n - i, out + i);
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
