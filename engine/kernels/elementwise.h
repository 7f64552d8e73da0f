// The functions that work element by element; table.h finds them by their opcodes.
#pragma once

#include "kernels/math.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {

// One operand: `at` gives its next lanes from element i on. A fixed one is the same
// number everywhere.
template <class T, int N, bool fixed>
struct Operand {
  using V = Vector<T, N>;
  const T* from;
  THALWEG_INLINE explicit Operand(const void* data) : from((const T*)data) {}
  THALWEG_INLINE V at(Index i) const { return load<V>(from + i); }
  THALWEG_INLINE V part(Index i, Index count) const {
    return load_part<V>(from + i, count);
  }
  // With the first number in the lanes that are left, so that none is out of the usual.
  THALWEG_INLINE V filled_part(Index i, Index count) const {
    T numbers[N];
    store(numbers, repeat<V>(from[i]));
    for (Index j = 1; j < count; ++j) numbers[j] = from[i + j];
    return load<V>(numbers);
  }
};

template <class T, int N>
struct Operand<T, N, true> {
  using V = Vector<T, N>;
  V value;
  THALWEG_INLINE explicit Operand(const void* data) : value(repeat<V>(*(const T*)data)) {}
  THALWEG_INLINE V at(Index) const { return value; }
  THALWEG_INLINE V part(Index, Index) const { return value; }
  THALWEG_INLINE V filled_part(Index, Index) const { return value; }
};

// The lanes that all of these types have in one vector.
template <class... T>
constexpr int common_lanes() {
  size_t widest = 0;
  ((widest = sizeof(T) > widest ? sizeof(T) : widest), ...);
  return THALWEG_VECTOR_BYTES / static_cast<int>(widest);
}

// Vectors that are read before the first of their results is written.
template <int count, int N, class F, class Out, class... X>
THALWEG_INLINE void map_block(Index i, Out* out, const X&... x) {
  Vector<Out, N> results[count];
  THALWEG_UNROLL
  for (int j = 0; j < count; ++j) results[j] = F::apply(x.at(i + j * N)...);
  THALWEG_UNROLL
  for (int j = 0; j < count; ++j) store(out + i + j * N, results[j]);
}

template <int N, class F, class Out, class... X>
THALWEG_INLINE void map_all(Index n, Out* out, const X&... x) {
  Index i = 0;
  for (; i + F::UNROLL * N <= n; i += F::UNROLL * N) {
    map_block<F::UNROLL, N, F>(i, out, x...);
  }
  if constexpr (F::UNROLL > 1) {
    for (; i + N <= n; i += N) map_block<1, N, F>(i, out, x...);
  }
  if (i == n) return;
  if constexpr (F::HAS_RARE_CASES) {
    store_part(out + i, F::apply(x.filled_part(i, n - i)...), n - i);
  } else {
    store_part(out + i, F::apply(x.part(i, n - i)...), n - i);
  }
}

template <class F, class Out, unsigned fixed, class A>
void map1(Index n, void* out, const void* a, const void*, const void*) {
  constexpr int N = common_lanes<Out, A>();
  map_all<N, F>(n, (Out*)out, Operand<A, N, (fixed & 1) != 0>(a));
}

template <class F, class Out, unsigned fixed, class A, class B>
void map2(Index n, void* out, const void* a, const void* b, const void*) {
  constexpr int N = common_lanes<Out, A, B>();
  map_all<N, F>(n, (Out*)out, Operand<A, N, (fixed & 1) != 0>(a),
                Operand<B, N, (fixed & 2) != 0>(b));
}

template <class F, class Out, unsigned fixed, class A, class B, class C>
void map3(Index n, void* out, const void* a, const void* b, const void* c) {
  constexpr int N = common_lanes<Out, A, B, C>();
  map_all<N, F>(n, (Out*)out, Operand<A, N, (fixed & 1) != 0>(a),
                Operand<B, N, (fixed & 2) != 0>(b), Operand<C, N, (fixed & 4) != 0>(c));
}

struct Add : Cheap {
  static constexpr bool WRAPS = true;
  template <class V>
  static THALWEG_INLINE V apply(V a, V b) {
    return a + b;
  }
};
struct Subtract : Cheap {
  static constexpr bool WRAPS = true;
  template <class V>
  static THALWEG_INLINE V apply(V a, V b) {
    return a - b;
  }
};
struct Multiply : Cheap {
  static constexpr bool WRAPS = true;
  template <class V>
  static THALWEG_INLINE V apply(V a, V b) {
    return a * b;
  }
};
struct Divide : Cheap {
  static constexpr bool HAS_DIVISOR = true;
  template <class V>
  static THALWEG_INLINE V apply(V a, V b) {
    return a / b;
  }
};

// A number that many are divided by: its reciprocal does the same, to 1 ulp, where both
// are normal.
template <class T>
struct Divisor {
  using V = Vector<T>;
  bool is_usual;
  V factor;  // or divisor
  THALWEG_INLINE explicit Divisor(T divisor) {
    const T inverse = T(1) / divisor;
    is_usual = is_normal(divisor) && is_normal(inverse);
    factor = repeat<V>(is_usual ? inverse : divisor);
  }
  THALWEG_INLINE V divide(V x) const { return is_usual ? x * factor : x / factor; }

 private:
  static THALWEG_INLINE bool is_normal(T number) {
    const T size = number < 0 ? -number : number;
    return size >= Numbers<T>::SMALLEST && size <= Numbers<T>::LARGEST;
  }
};

template <class T>
void divide_by(Index n, void* out, const void* a, const void* b, const void*) {
  const Divisor<T> divisor(*(const T*)b);
  divisor.is_usual ? map2<Multiply, T, 2, T, T>(n, out, a, &divisor.factor, nullptr)
                   : map2<Divide, T, 2, T, T>(n, out, a, b, nullptr);
}

// NaN wins, whichever operand it is.
struct Maximum : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a, V b) {
    return maximum(a, b);
  }
};
struct Minimum : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a, V b) {
    return minimum(a, b);
  }
};
struct MultiplyAdd : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a, V b, V c) {
    return multiply_add(a, b, c);
  }
};
struct MultiplySubtract : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a, V b, V c) {
    return multiply_add(a, b, -c);
  }
};
struct SubtractMultiply : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a, V b, V c) {
    return multiply_add(-a, b, c);
  }
};

struct Copied : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a) {
    return a;
  }
};
struct Negative : Cheap {
  static constexpr bool WRAPS = true;
  template <class V>
  static THALWEG_INLINE V apply(V a) {
    return -a;
  }
};
struct Absolute : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a) {
    return absolute(a);
  }
  // Of the least int32 there is none: it stays as it is.
  static THALWEG_INLINE Int32 apply(Int32 a) {
    return a < Int32{} ? (Int32) - (UInt32)a : a;
  }
  static THALWEG_INLINE UInt32 apply(UInt32 a) { return a; }
};
struct Sign : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a) {
    const V one = repeat<V>(Scalar<V>(1));
    const V sign = a > V{} ? one : a < V{} ? -one : V{};
    return a != a ? a : sign;
  }
};
struct Floor : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a) {
    return floor(a);
  }
};
struct SquareRoot : Cheap {
  template <class V>
  static THALWEG_INLINE V apply(V a) {
    return square_root(a);
  }
};

template <class T>
struct MaskType;
template <>
struct MaskType<float> {
  using type = int32_t;
};
template <>
struct MaskType<double> {
  using type = int64_t;
};
template <>
struct MaskType<int32_t> {
  using type = int32_t;
};
template <>
struct MaskType<uint32_t> {
  using type = int32_t;
};
template <>
struct MaskType<uint8_t> {
  using type = int8_t;
};
template <class T, int N>
using Mask = Vector<typename MaskType<T>::type, N>;

// Booleans are bytes, 0 or 1: of the lanes of a comparison of numbers of type T.
template <class T, class M>
THALWEG_INLINE Vector<uint8_t, LANES<T>> truth(M mask) {
  if constexpr (sizeof(T) == 1) {
    return (Bytes)mask & 1;
  } else {
    return narrow_mask<T>((Mask<T, LANES<T>>)mask);
  }
}
struct Equal : Cheap {
  template <class V>
  static THALWEG_INLINE auto apply(V a, V b) {
    return truth<Scalar<V>>(a == b);
  }
};
struct Less : Cheap {
  template <class V>
  static THALWEG_INLINE auto apply(V a, V b) {
    return truth<Scalar<V>>(a < b);
  }
};
struct LessEqual : Cheap {
  template <class V>
  static THALWEG_INLINE auto apply(V a, V b) {
    return truth<Scalar<V>>(a <= b);
  }
};
struct NotZero : Cheap {
  template <class V>
  static THALWEG_INLINE auto apply(V a) {
    return truth<Scalar<V>>(a != V{});
  }
};
struct LogicalAnd : Cheap {
  static THALWEG_INLINE Bytes apply(Bytes a, Bytes b) { return a & b; }
};
struct LogicalNot : Cheap {
  static THALWEG_INLINE Bytes apply(Bytes a) { return a ^ 1; }
};

// The choice is between bits, so uint32, uint64 and bytes stand for all types.
struct Select : Cheap {
  template <class C, class V>
  static THALWEG_INLINE V apply(C condition, V a, V b) {
    if constexpr (sizeof(Scalar<V>) == 1) {
      return condition != V{} ? a : b;
    } else {
      return widen_bytes<Scalar<V>>(condition) != V{} ? a : b;
    }
  }
};

// From In to Out where the language's conversion of vectors has the right meaning.
template <class Out, class In>
struct Converted : Cheap {
  static constexpr int N = common_lanes<Out, In>();
  static THALWEG_INLINE Vector<Out, N> apply(Vector<In, N> a) {
    return __builtin_convertvector(a, Vector<Out, N>);
  }
};
template <class Out>
struct CastByte : Cheap {
  static constexpr int N = LANES<Out>;
  static THALWEG_INLINE Vector<Out> apply(Vector<uint8_t, N> a) {
    using Number = typename MaskType<Out>::type;
    return __builtin_convertvector(widen_bytes<Number>(a), Vector<Out>);
  }
};
// By 64 bits, of which the lower half stays, so that negative numbers wrap.
template <class In>
struct CastToUInt32 : Cheap {
  static constexpr int N = LANES<int64_t>;
  static THALWEG_INLINE Vector<uint32_t, N> apply(Vector<In, N> a) {
    return __builtin_convertvector(__builtin_convertvector(a, Int64), Vector<uint32_t, N>);
  }
};
template <class In>
void map_to_uint32(Index n, void* out, const void* a, const void*, const void*) {
  constexpr int N = LANES<int64_t>;
  map_all<N, CastToUInt32<In>>(n, (uint32_t*)out, Operand<In, N, false>(a));
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
