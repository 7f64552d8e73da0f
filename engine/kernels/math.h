// Elementary functions on vectors: within 4 units in the last place of the true value.
//
// Every function is one formula for all lanes and both float types; what differs
// between the types stands in Numbers. The polynomials are minimax fits of this project.
// Nothing here depends on whether the caller flushes subnormal numbers to zero, other
// than that subnormal results are then zero.
#pragma once

#include "kernels/vector.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {

// What a functor of lanes says of itself to the loops that use it.
struct Cheap {
  static constexpr int UNROLL = 4;               // vectors at a time
  static constexpr bool HAS_RARE_CASES = false;  // that cost more; 0 may be one
  static constexpr bool WRAPS = false;        // of int32 it is that of uint32, bit by bit
  static constexpr bool HAS_DIVISOR = false;  // Divisor does it where b is one number
};
struct Costly : Cheap {
  static constexpr int UNROLL = 2;
  static constexpr bool HAS_RARE_CASES = true;
};

// The functor of a function of one vector, or of two.
#define THALWEG_COSTLY(Name, function)         \
  struct Name : Costly {                       \
    template <class... V>                      \
    static THALWEG_INLINE auto apply(V... x) { \
      return function(x...);                   \
    }                                          \
  };

template <class T>
struct Numbers;

template <>
struct Numbers<float> {
  using Word = uint32_t;
  static constexpr int MANTISSA = 23, BIAS = 127;
  static constexpr float SMALLEST = 0x1p-126f, LARGEST = 0x1.fffffep127f;
  static constexpr float INFINITE = __builtin_inff(), NOT = __builtin_nanf("");
  static constexpr float ROUNDER = 0x1.8p23f;  // x + ROUNDER has no fraction
  static constexpr float LOG2_E = 0x1.715476p+0f;
  // log 2 in two parts, the first so short that its whole multiples are exact.
  static constexpr float LN2_HIGH = 0x1.62cp-1f, LN2_LOW = 0x1.217f7ep-12f;
  static constexpr Word SQRT_HALF = 0x3f3504f3;
  static constexpr float EXP_LOWEST = -104, EXP_HIGHEST = 89;
  static constexpr float EXPM1_LOWEST = -18, TANH_HIGHEST = 9.5f, NEGLIGIBLE = 0x1p-25f;
  // (e^r - 1 - r) / r²
  static constexpr float EXP[] = {0x1p-1f, 0x1.5554a8p-3f, 0x1.555534p-5f, 0x1.122d88p-7f,
                                  0x1.6ceb04p-10f};
  // erf(x) / x - 1 in x² where |x| < 1, log(1 - erf(x)) in x - ERF_CENTER elsewhere
  static constexpr float ERF_CENTER = 0, ERF_HIGHEST = 4;
  static constexpr float ERF_NEAR[] = {0x1.06eba8p-3f,  -0x1.81273ep-2f, 0x1.ce2cep-4f,
                                       -0x1.b7f666p-6f, 0x1.53eafep-8f,  -0x1.a31598p-11f,
                                       0x1.46c206p-14f};
  static constexpr float ERF_FAR[] = {0x1.8b3baap-13f, -0x1.212c2ap+0f, -0x1.443504p-1f,
                                      -0x1.bc17eep-4f, 0x1.9d0918p-6f,  -0x1.13945cp-8f,
                                      0x1.ceda44p-12f, -0x1.6bed9ap-16f};
};

template <>
struct Numbers<double> {
  using Word = uint64_t;
  static constexpr int MANTISSA = 52, BIAS = 1023;
  static constexpr double SMALLEST = 0x1p-1022, LARGEST = 0x1.fffffffffffffp1023;
  static constexpr double INFINITE = __builtin_inf(), NOT = __builtin_nan("");
  static constexpr double ROUNDER = 0x1.8p52;
  static constexpr double LOG2_E = 0x1.71547652b82fep+0;
  static constexpr double LN2_HIGH = 0x1.62e42fefa2p-1, LN2_LOW = 0x1.9ef35793c7673p-41;
  static constexpr Word SQRT_HALF = 0x3fe6a09e667f3bcd;
  static constexpr double EXP_LOWEST = -746, EXP_HIGHEST = 710;
  static constexpr double EXPM1_LOWEST = -38, TANH_HIGHEST = 20, NEGLIGIBLE = 0x1p-54;
  static constexpr double EXP[] = {0x1.0000000000005p-1,  0x1.555555555555dp-3,
                                   0x1.5555555551f27p-5,  0x1.111111110e54ap-7,
                                   0x1.6c16c17fba8b7p-10, 0x1.a01a01b673a88p-13,
                                   0x1.a019a4ddca7b7p-16, 0x1.71dde8827a4f8p-19,
                                   0x1.28a46994facc1p-22, 0x1.af7944f0ca077p-26};
  static constexpr double ERF_CENTER = 2, ERF_HIGHEST = 6;
  static constexpr double ERF_NEAR[] = {
      0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b2p-4,
      -0x1.b82ce3128499dp-6,  0x1.565bcd0db02f4p-8,   -0x1.c02db3d8ed4cap-11,
      0x1.f9a321a121b27p-14,  -0x1.f4d1df39875b2p-17, 0x1.b9def1a040879p-20,
      -0x1.5f1d36d04d768p-23, 0x1.f7a41290e73afp-27,  -0x1.386ac16929d4ep-30,
      0x1.0579ab2caaf4cp-34};
  static constexpr double ERF_FAR[] = {
      -0x1.575b329b1f514p+2,  -0x1.1ac3258a8dc2cp+2,  -0x1.d8f5dece929a7p-1,
      -0x1.0dc3b5fb2eebcp-6,  0x1.d406b3791f355p-9,   -0x1.7ffcfb032aba2p-11,
      0x1.1bc3a4ab217eap-13,  -0x1.5b659d440d6c7p-16, 0x1.0604bc1d81725p-19,
      0x1.b580bc794f083p-23,  -0x1.73e483d822ee8p-23, 0x1.ef98265fc1512p-25,
      -0x1.e09340c36780cp-27, 0x1.66c1a24a1e415p-29,  -0x1.1c1be2b54a512p-32,
      -0x1.3ab2a1fead5e2p-34, 0x1.44c63e61ccbd9p-35,  -0x1.5accf71989cf8p-38};
};

template <class V>
using NumbersOf = Numbers<Scalar<V>>;

template <class V, int N>
THALWEG_INLINE V polynomial(V x, const Scalar<V> (&coefficients)[N]) {
  V sum = repeat<V>(coefficients[N - 1]);
  THALWEG_UNROLL
  for (int i = N - 2; i >= 0; --i) {
    sum = multiply_add(sum, x, repeat<V>(coefficients[i]));
  }
  return sum;
}

// A small whole number as a float.
template <class V>
THALWEG_INLINE V as_float(Whole<V> k) {
  const V rounder = repeat<V>(NumbersOf<V>::ROUNDER);
  return (V)((Bits<V>)rounder + (Bits<V>)k) - rounder;
}

// x = n log 2 + r with whole n and |r| <= log 2 / 2.
template <class V>
struct Powers {
  V rounded;  // n + ROUNDER, whose lowest bits are those of the whole number n
  V n;
  V r;
};

template <class V>
THALWEG_INLINE Powers<V> split_powers(V x) {
  using N = NumbersOf<V>;
  const V rounder = repeat<V>(N::ROUNDER);
  Powers<V> parts;
  parts.rounded = multiply_add(x, repeat<V>(N::LOG2_E), rounder);
  parts.n = parts.rounded - rounder;
  parts.r = multiply_add(parts.n, repeat<V>(-N::LN2_HIGH), x);
  parts.r = multiply_add(parts.n, repeat<V>(-N::LN2_LOW), parts.r);
  return parts;
}

// e^r - 1 for the r of split_powers.
template <class V>
THALWEG_INLINE V small_expm1(V r) {
  return multiply_add(r * r, polynomial(r, NumbersOf<V>::EXP), r);
}

// 2^(n + more) from n + ROUNDER; the result must be a normal number.
template <class V>
THALWEG_INLINE V power_of_two(V rounded, int more = 0) {
  using N = NumbersOf<V>;
  return (V)(((Bits<V>)rounded + typename N::Word(N::BIAS + more)) << N::MANTISSA);
}

// x · 2^n, rounded once, also where 2^n or the result is no normal number.
template <class V>
THALWEG_INLINE V scale(V x, const Powers<V>& powers) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return (V)_mm512_maskz_scalef_ps(0xffff, (__m512)x, (__m512)powers.n);
  } else {
    return (V)_mm512_maskz_scalef_pd(0xff, (__m512d)x, (__m512d)powers.n);
  }
#else
  const V rounder = repeat<V>(NumbersOf<V>::ROUNDER);
  const V half = powers.n * repeat<V>(Scalar<V>(0.5)) + rounder;
  const V rest = (powers.n - (half - rounder)) + rounder;
  return x * power_of_two(half) * power_of_two(rest);
#endif
}

template <class V>
THALWEG_INLINE V exp(V x) {
  using N = NumbersOf<V>;
  x = smaller(repeat<V>(N::EXP_HIGHEST), x);
  x = larger(repeat<V>(N::EXP_LOWEST), x);
  const Powers<V> powers = split_powers(x);
  return scale(repeat<V>(Scalar<V>(1)) + small_expm1(powers.r), powers);
}
THALWEG_COSTLY(Exp, exp)

template <class V>
THALWEG_INLINE V expm1(V x) {
  using N = NumbersOf<V>;
  const V bounded =
      larger(repeat<V>(N::EXPM1_LOWEST), smaller(repeat<V>(N::EXP_HIGHEST), x));
  const Powers<V> powers = split_powers(bounded);
  const V half = power_of_two(powers.rounded, -1);  // because 2^n may be too large
  const V halved =
      multiply_add(half, small_expm1(powers.r), half - repeat<V>(Scalar<V>(0.5)));
  return absolute(x) < repeat<V>(N::NEGLIGIBLE) ? x : halved + halved;
}
THALWEG_COSTLY(Expm1, expm1)

// (e^2x - 1) / (e^2x + 1)
template <class V>
THALWEG_INLINE V tanh(V x) {
  using N = NumbersOf<V>;
  const V size = smaller(repeat<V>(N::TANH_HIGHEST), absolute(x));
  const Powers<V> powers = split_powers(size + size);
  const V power = power_of_two(powers.rounded);
  const V above = multiply_add(power, small_expm1(powers.r), power - Scalar<V>(1));
  return copy_sign(above / (above + Scalar<V>(2)), x);
}
THALWEG_COSTLY(Tanh, tanh)

template <class V>
THALWEG_INLINE V sigmoid(V x) {
  const V one = repeat<V>(Scalar<V>(1));
  return one / (one + exp(-x));
}
THALWEG_COSTLY(Sigmoid, sigmoid)

// log(2^k (1 + f)) for sqrt(1/2) <= 1 + f <= sqrt(2)
THALWEG_INLINE Float32 log_of_parts(Float32 f, Float32 k) {
  // (log(1 + f) - f + f² / 2) / f³
  static constexpr float COEFFICIENTS[] = {
      0x1.555548p-2f,  -0x1.000076p-2f, 0x1.99a54ap-3f,  -0x1.552caap-3f, 0x1.230086p-3f,
      -0x1.012160p-3f, 0x1.f0c57ep-4f,  -0x1.be0af8p-4f, 0x1.ab5748p-5f};
  const Float32 square = f * f;
  const Float32 cubic = square * f * polynomial(f, COEFFICIENTS);
  Float32 tail = multiply_add(square, repeat<Float32>(-0.5f), cubic);
  tail = multiply_add(k, repeat<Float32>(Numbers<float>::LN2_LOW), tail);
  return multiply_add(k, repeat<Float32>(Numbers<float>::LN2_HIGH), f + tail);
}

THALWEG_INLINE Float64 log_of_parts(Float64 f, Float64 k) {
  // (log(1 + f) / s - 2) / s² in s², where s = f / (2 + f)
  static constexpr double COEFFICIENTS[] = {
      0x1.5555555555555p-1, 0x1.999999998fd75p-2, 0x1.24924936059e9p-2, 0x1.c71c5a84afe1p-3,
      0x1.7464af3d8ee55p-3, 0x1.39c67b5dc27c7p-3, 0x1.2daf5e0739ba3p-3};
  const Float64 s = f / (f + 2.0);
  const Float64 square = s * s;
  const Float64 half = f * f * 0.5;
  const Float64 series = square * polynomial(square, COEFFICIENTS);
  const Float64 low = k * Numbers<double>::LN2_LOW;
  const Float64 tail = multiply_add(s, half + series, low);
  return multiply_add(k, repeat<Float64>(Numbers<double>::LN2_HIGH), f - (half - tail));
}

// y = 2^k m with m about 1, for normal y.
template <class V>
struct Mantissa {
  Whole<V> k;
  V m;
};

template <class V>
THALWEG_INLINE Mantissa<V> split_mantissa(V y) {
  using N = NumbersOf<V>;
  const Whole<V> k = (Whole<V>)((Bits<V>)y - N::SQRT_HALF) >> N::MANTISSA;
  return {k, (V)((Bits<V>)y - ((Bits<V>)k << N::MANTISSA))};
}

template <class V>
THALWEG_INLINE V log_of_normal(V x) {
  const Mantissa<V> parts = split_mantissa(x);
  return log_of_parts(parts.m - Scalar<V>(1), as_float<V>(parts.k));
}

// Whether lowest <= x <= largest number, in every lane.
template <class V>
THALWEG_INLINE bool all_between(V x, Scalar<V> lowest) {
  const V largest = repeat<V>(NumbersOf<V>::LARGEST);
  return all((Whole<V>)(x >= repeat<V>(lowest)) & (Whole<V>)(x <= largest));
}

template <class V>
V log_of_any(V x) __attribute__((noinline));

template <class V>
THALWEG_INLINE V log(V x) {
  if (__builtin_expect(all_between(x, NumbersOf<V>::SMALLEST), 1)) {
    return log_of_normal(x);
  }
  return log_of_any(x);
}
THALWEG_COSTLY(Log, log)

// The bits of a subnormal number, read as a whole number, are its multiple of the
// least.
template <class V>
V log_of_any(V x) {
  using N = NumbersOf<V>;
  using W = Whole<V>;
  const W bits = (W)x;
  const W none = W{};
  const W subnormal = (bits > none) & (bits < (W)repeat<V>(N::SMALLEST));
  const V offset = repeat<V>(Scalar<V>(typename N::Word(1) << N::MANTISSA));
  const V multiple = (V)(bits | (W)offset) - offset;
  const V more_k = repeat<V>(Scalar<V>(1 - N::BIAS - N::MANTISSA));
  const Mantissa<V> parts = split_mantissa(subnormal ? multiple : x);
  V result = log_of_parts(parts.m - Scalar<V>(1),
                          as_float<V>(parts.k) + (subnormal ? more_k : V{}));
  const W infinite = (W)repeat<V>(N::INFINITE);
  result = bits >= infinite ? x : result;
  result = bits < none ? repeat<V>(N::NOT) : result;
  result = x != x ? x : result;
  return (Bits<V>)x << 1 == Bits<V>{} ? repeat<V>(-N::INFINITE) : result;
}

// log(1 + x) for x > -1. 2^-k (1 + x) - 1 = 2^-k x + (2^-k - 1) is rounded only once.
template <class V>
THALWEG_INLINE V log1p_of_normal(V x) {
  using N = NumbersOf<V>;
  const V one = repeat<V>(Scalar<V>(1));
  const Mantissa<V> parts = split_mantissa(one + x);
  const V inverse = (V)((Bits<V>)one - ((Bits<V>)parts.k << N::MANTISSA));
  V f = multiply_add(x, inverse, inverse - one);
  f = x > repeat<V>(Scalar<V>(typename N::Word(1) << (N::MANTISSA + 3))) ? parts.m - one
                                                                         : f;
  return log_of_parts(f, as_float<V>(parts.k));
}

template <class V>
THALWEG_INLINE V log1p(V x) {
  using N = NumbersOf<V>;
  V result = copy_sign(log1p_of_normal(x), x);
  if (__builtin_expect(!all_between(x, -1 + N::NEGLIGIBLE * 4), 0)) {
    const V infinite = repeat<V>(N::INFINITE);
    result = x > repeat<V>(Scalar<V>(-1)) ? result : repeat<V>(N::NOT);
    result = x == repeat<V>(Scalar<V>(-1)) ? -infinite : result;
    result = ((x == infinite) | (x != x)) ? x : result;
  }
  return result;
}
THALWEG_COSTLY(Log1p, log1p)

// max(x, 0) + log(1 + e^-|x|)
template <class V>
THALWEG_INLINE V softplus(V x) {
  return larger(x, V{}) + log1p_of_normal(exp(-absolute(x)));
}
THALWEG_COSTLY(Softplus, softplus)

template <class V>
THALWEG_INLINE V erf(V x) {
  using N = NumbersOf<V>;
  const V one = repeat<V>(Scalar<V>(1));
  const V size = smaller(repeat<V>(N::ERF_HIGHEST), absolute(x));
  const V near = multiply_add(x, polynomial(x * x, N::ERF_NEAR), x);
  const V logarithm = polynomial(size - N::ERF_CENTER, N::ERF_FAR);
  const Powers<V> powers = split_powers(logarithm);
  const V power = power_of_two(powers.rounded);
  const V rest = multiply_add(power, small_expm1(powers.r), power);
  return size < one ? near : copy_sign(one - rest, x);
}
THALWEG_COSTLY(Erf, erf)

// π/2 in three parts; whole multiples of the first two, up to 2^20, are exact.
inline constexpr double TWO_OVER_PI = 0x1.45f306dc9c883p-1;
inline constexpr double HALF_PI_HIGH = 0x1.921fb544p+0;
inline constexpr double HALF_PI_MIDDLE = 0x1.0b4611a6p-34;
inline constexpr double HALF_PI_LOW = 0x1.3198a2e037073p-69;
inline constexpr double MODERATE = 5e5;

// The sine of x + quarters · π/2, for |x| <= MODERATE.

THALWEG_INLINE Float64 sine_of_moderate(Float64 x, int quarters) {
  static constexpr double SINE[] = {-0x1.5555555555555p-3,  0x1.111111111074ap-7,
                                    -0x1.a01a019d96de7p-13, 0x1.71de369894725p-19,
                                    -0x1.ae5f2d089bc2fp-26, 0x1.5dc6a0e5570ebp-33};
  static constexpr double COSINE[] = {0x1.5555555555555p-5,  -0x1.6c16c16c165d4p-10,
                                      0x1.a01a019e92875p-16, -0x1.27e4f94e6acc9p-22,
                                      0x1.1eeab8b470f9ep-29, -0x1.9010cefc93399p-37};
  const Float64 rounder = repeat<Float64>(Numbers<double>::ROUNDER);
  const Float64 turns = multiply_add(x, repeat<Float64>(TWO_OVER_PI), rounder);
  const Float64 n = turns - rounder;
  Float64 r = multiply_add(n, repeat<Float64>(-HALF_PI_HIGH), x);
  r = multiply_add(n, repeat<Float64>(-HALF_PI_MIDDLE), r);
  r = multiply_add(n, repeat<Float64>(-HALF_PI_LOW), r);
  const Float64 square = r * r;
  const Float64 sine = multiply_add(square * r, polynomial(square, SINE), r);
  const Float64 quartic = square * square * polynomial(square, COSINE);
  const Float64 cosine = 1.0 - (square * 0.5 - quartic);
  const UInt64 quarter = (UInt64)turns + uint64_t(quarters);
  const UInt64 negative = (quarter & 2) << 62;
  return (Float64)((UInt64)((quarter & 1) != UInt64{} ? cosine : sine) ^ negative);
}

// Two vectors of doubles with the numbers of one of floats.
struct Widened {
  Float64 low, high;
};

THALWEG_INLINE Widened widen(Float32 x) {
  HalfFloat32 halves[2];
  __builtin_memcpy(halves, &x, sizeof(x));
  return {__builtin_convertvector(halves[0], Float64),
          __builtin_convertvector(halves[1], Float64)};
}

THALWEG_INLINE Float32 narrow(Float64 low, Float64 high) {
  const HalfFloat32 halves[2] = {__builtin_convertvector(low, HalfFloat32),
                                 __builtin_convertvector(high, HalfFloat32)};
  Float32 result;
  __builtin_memcpy(&result, halves, sizeof(result));
  return result;
}

// A lane of its own for every number that is large, infinite or NaN.
template <int quarters>
THALWEG_INLINE Float64 sine(Float64 x) {
  Float64 result = sine_of_moderate(x, quarters);
  const Int64 moderate = (Int64)(absolute(x) <= repeat<Float64>(MODERATE));
  if (__builtin_expect(!all(moderate), 0)) {
    for (int i = 0; i < LANES<double>; ++i) {
      if (moderate[i]) continue;
      result[i] = quarters ? __builtin_cos(x[i]) : __builtin_sin(x[i]);
    }
  }
  return result;
}

template <int quarters>
THALWEG_INLINE Float32 sine(Float32 x) {
  const Widened wide = widen(x);
  return narrow(sine<quarters>(wide.low), sine<quarters>(wide.high));
}

template <class V>
THALWEG_INLINE V sin(V x) {
  return x == V{} ? x : sine<0>(x);
}
THALWEG_COSTLY(Sin, sin)

template <class V>
THALWEG_INLINE V cos(V x) {
  return sine<1>(x);
}
THALWEG_COSTLY(Cos, cos)

// |x|^y by doubles where both are finite and x is normal, the C library elsewhere.
THALWEG_INLINE Float32 power(Float32 x, Float32 y) {
  const Float32 size = absolute(x);
  const Widened wide_x = widen(size);
  const Widened wide_y = widen(y);
  Float32 result = narrow(exp(wide_y.low * log_of_normal(wide_x.low)),
                          exp(wide_y.high * log_of_normal(wide_x.high)));
  const Float32 half = y * 0.5f;
  const Float32 odd_or_fraction = floor(half) == half ? result : -result;
  const Float32 of_negative =
      floor(y) == y ? odd_or_fraction : repeat<Float32>(Numbers<float>::NOT);
  result = x < Float32{} ? of_negative : result;
  const Float32 largest = repeat<Float32>(Numbers<float>::LARGEST);
  const Int32 usual = (Int32)(size >= repeat<Float32>(Numbers<float>::SMALLEST)) &
                      (Int32)(size <= largest) & (Int32)(absolute(y) <= largest);
  if (__builtin_expect(!all(usual), 0)) {
    for (int i = 0; i < LANES<float>; ++i) {
      // By doubles, because powf fails where numbers too small to be normal are flushed.
      if (!usual[i]) result[i] = (float)__builtin_pow((double)x[i], (double)y[i]);
    }
  }
  return result;
}

template <class V>
THALWEG_INLINE V flushed(V x) {
  return absolute(x) < repeat<V>(NumbersOf<V>::SMALLEST) ? copy_sign(V{}, x) : x;
}

// The library's pow fails on numbers too small to be normal where these are flushed.
THALWEG_INLINE Float64 power(Float64 x, Float64 y) {
  x = flushed(x);
  y = flushed(y);
  for (int i = 0; i < LANES<double>; ++i) x[i] = __builtin_pow(x[i], y[i]);
  return x;
}
THALWEG_COSTLY(Power, power)

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
