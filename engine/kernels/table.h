// Which function does an operation on numbers of a dtype: one for each line of
// core/primitives.h, by what its types are.
#pragma once

#include "kernels/elementwise.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {

// --- by the number of operands: bit j of `fixed` says that operand j is one number ------

template <class F, class T>
MapFunction unary(unsigned fixed) {
  return fixed == 0 ? map1<F, T, 0, T> : nullptr;
}

template <class F, class T>
MapFunction binary(unsigned fixed) {
  if constexpr (F::HAS_DIVISOR)
    if (fixed == 2) return divide_by<T>;
  switch (fixed) {
    case 0: return map2<F, T, 0, T, T>;
    case 1: return map2<F, T, 1, T, T>;
    case 2: return map2<F, T, 2, T, T>;
    default: return nullptr;
  }
}

template <class F, class T>
MapFunction ternary(unsigned fixed) {
  switch (fixed) {
    case 0: return map3<F, T, 0, T, T, T>;
    case 1: return map3<F, T, 1, T, T, T>;
    case 2: return map3<F, T, 2, T, T, T>;
    case 3: return map3<F, T, 3, T, T, T>;
    case 4: return map3<F, T, 4, T, T, T>;
    case 5: return map3<F, T, 5, T, T, T>;
    case 6: return map3<F, T, 6, T, T, T>;
    default: return nullptr;
  }
}

template <class F, int operands, class T>
MapFunction of_type(unsigned fixed) {
  if constexpr (operands == 1) {
    return unary<F, T>(fixed);
  } else if constexpr (operands == 2) {
    return binary<F, T>(fixed);
  } else {
    return ternary<F, T>(fixed);
  }
}

template <class F, class T>
MapFunction comparison(unsigned fixed) {
  switch (fixed) {
    case 0: return map2<F, uint8_t, 0, T, T>;
    case 1: return map2<F, uint8_t, 1, T, T>;
    case 2: return map2<F, uint8_t, 2, T, T>;
    default: return nullptr;
  }
}

template <class F, class T>
MapFunction choice(unsigned fixed) {
  switch (fixed) {
    case 0: return map3<F, T, 0, uint8_t, T, T>;
    case 2: return map3<F, T, 2, uint8_t, T, T>;
    case 4: return map3<F, T, 4, uint8_t, T, T>;
    case 6: return map3<F, T, 6, uint8_t, T, T>;
    default: return nullptr;
  }
}

// --- by types: one for each of Types
// ------------------------------------------------------

template <class F, int operands>
MapFunction map_real(Dtype in, Dtype out, unsigned fixed) {
  if (in != out) return nullptr;
  switch (in) {
    case Dtype::float32: return of_type<F, operands, float>(fixed);
    case Dtype::float64: return of_type<F, operands, double>(fixed);
    default: return nullptr;
  }
}

template <class F, int operands>
MapFunction map_number(Dtype in, Dtype out, unsigned fixed) {
  if (in != out) return nullptr;
  switch (in) {
    case Dtype::int32:
      if constexpr (!F::WRAPS) return of_type<F, operands, int32_t>(fixed);
      [[fallthrough]];
    case Dtype::uint32: return of_type<F, operands, uint32_t>(fixed);
    default: return map_real<F, operands>(in, out, fixed);
  }
}

template <class F, int operands>
MapFunction map_truth(Dtype in, Dtype out, unsigned fixed) {
  const bool fits = in == Dtype::boolean && out == Dtype::boolean;
  return fits ? of_type<F, operands, uint8_t>(fixed) : nullptr;
}

template <class F, int operands>
MapFunction map_compared(Dtype in, Dtype out, unsigned fixed) {
  static_assert(operands == 2);
  if (out != Dtype::boolean) return nullptr;
  switch (in) {
    case Dtype::float32: return comparison<F, float>(fixed);
    case Dtype::float64: return comparison<F, double>(fixed);
    case Dtype::int32: return comparison<F, int32_t>(fixed);
    case Dtype::uint32: return comparison<F, uint32_t>(fixed);
    case Dtype::boolean: return comparison<F, uint8_t>(fixed);
    default: return nullptr;
  }
}

// What all dtypes of one size share, because it only moves bits.
template <class F, int operands>
MapFunction map_chosen(Dtype in, Dtype out, unsigned fixed) {
  static_assert(operands == 3);
  if (in != out) return nullptr;
  switch (item_size(in)) {
    case 8: return choice<F, uint64_t>(fixed);
    case 4: return choice<F, uint32_t>(fixed);
    default: return choice<F, uint8_t>(fixed);
  }
}

template <class F, int operands>
MapFunction map_same(Dtype in, Dtype out, unsigned fixed) {
  if (in != out) return nullptr;
  switch (item_size(in)) {
    case 8: return of_type<F, operands, uint64_t>(fixed);
    case 4: return of_type<F, operands, uint32_t>(fixed);
    default: return of_type<F, operands, uint8_t>(fixed);
  }
}

// --- casts: a function for each pair of dtypes
// --------------------------------------------

template <class In, class Out>
MapFunction cast_pair() {
  return map1<Converted<Out, In>, Out, 0, In>;
}

template <class T>
MapFunction cast_float(Dtype out) {
  switch (out) {
    case Dtype::float32: return cast_pair<T, float>();
    case Dtype::float64: return cast_pair<T, double>();
    case Dtype::int32: return cast_pair<T, int32_t>();
    case Dtype::uint32: return map_to_uint32<T>;
    case Dtype::boolean: return map1<NotZero, uint8_t, 0, T>;
    default: return nullptr;
  }
}

template <class T>
MapFunction cast_whole(Dtype out) {
  switch (out) {
    case Dtype::float32: return cast_pair<T, float>();
    case Dtype::float64: return cast_pair<T, double>();
    case Dtype::int32: return cast_pair<T, uint32_t>();
    case Dtype::uint32: return cast_pair<T, uint32_t>();
    case Dtype::boolean: return map1<NotZero, uint8_t, 0, T>;
    default: return nullptr;
  }
}

// Booleans are bytes too.
inline MapFunction cast_byte(Dtype out) {
  switch (out) {
    case Dtype::float32: return map1<CastByte<float>, float, 0, uint8_t>;
    case Dtype::float64: return map1<CastByte<double>, double, 0, uint8_t>;
    case Dtype::int32:
    case Dtype::uint32: return map1<CastByte<int32_t>, int32_t, 0, uint8_t>;
    case Dtype::boolean: return map1<NotZero, uint8_t, 0, uint8_t>;
    default: return nullptr;
  }
}

// Which function converts.
struct Cast {
  static MapFunction between(Dtype in, Dtype out) {
    switch (in) {
      case Dtype::float32: return cast_float<float>(out);
      case Dtype::float64: return cast_float<double>(out);
      case Dtype::int32: return cast_whole<int32_t>(out);
      case Dtype::uint32: return cast_whole<uint32_t>(out);
      case Dtype::boolean:
      case Dtype::uint8: return cast_byte(out);
      default: return nullptr;
    }
  }
};

template <class F, int operands>
MapFunction map_cast(Dtype in, Dtype out, unsigned fixed) {
  static_assert(operands == 1);
  return fixed == 0 ? F::between(in, out) : nullptr;
}

// ------------------------------------------------------------------------------------------

inline MapFunction map(Opcode opcode, Dtype in, Dtype out, unsigned fixed) {
  switch (opcode) {
#define THALWEG_OTHER(name, version)
#define THALWEG_ELEMENTWISE(name, version, operands, types, cost, functor, links) \
  case Opcode::name: return map_##types<functor, operands>(in, out, fixed);
    THALWEG_OPERATIONS(THALWEG_OTHER, THALWEG_ELEMENTWISE)
    THALWEG_JOINED(THALWEG_ELEMENTWISE)
#undef THALWEG_ELEMENTWISE
#undef THALWEG_OTHER
    default: return nullptr;
  }
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
