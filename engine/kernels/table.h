// Which function does an operation on numbers of a dtype.
#pragma once

#include "kernels/elementwise.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {

template <class F, class T>
MapFunction binary(unsigned fixed) {
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

template <class T>
MapFunction chosen(unsigned fixed) {
  switch (fixed) {
    case 0: return map3<Select<T>, T, 0, uint8_t, T, T>;
    case 2: return map3<Select<T>, T, 2, uint8_t, T, T>;
    case 4: return map3<Select<T>, T, 4, uint8_t, T, T>;
    case 6: return map3<Select<T>, T, 6, uint8_t, T, T>;
    default: return nullptr;
  }
}

template <class F, class T>
MapFunction unary(unsigned fixed) {
  return fixed == 0 ? map1<F, T, 0, T> : nullptr;
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

template <class T>
MapFunction comparison_of(Opcode opcode, unsigned fixed) {
  switch (opcode) {
    case Opcode::equal: return comparison<Equal<T>, T>(fixed);
    case Opcode::less: return comparison<Less<T>, T>(fixed);
    case Opcode::less_equal: return comparison<LessEqual<T>, T>(fixed);
    default: return nullptr;
  }
}

inline MapFunction comparison_map(Opcode opcode, Dtype in, unsigned fixed) {
  switch (in) {
    case Dtype::float32: return comparison_of<float>(opcode, fixed);
    case Dtype::float64: return comparison_of<double>(opcode, fixed);
    case Dtype::int32: return comparison_of<int32_t>(opcode, fixed);
    case Dtype::uint32: return comparison_of<uint32_t>(opcode, fixed);
    case Dtype::boolean: return comparison_of<uint8_t>(opcode, fixed);
    default: return nullptr;
  }
}

// What all dtypes of one size share, because it only moves bits.
template <class T>
MapFunction bits_map(Opcode opcode, unsigned fixed) {
  switch (opcode) {
    case Opcode::select: return chosen<T>(fixed);
    case Opcode::stop_gradient: return unary<Copied, T>(fixed);
    default: return nullptr;
  }
}

inline MapFunction moving_map(Opcode opcode, Dtype dtype, unsigned fixed) {
  switch (item_size(dtype)) {
    case 8: return bits_map<uint64_t>(opcode, fixed);
    case 4: return bits_map<uint32_t>(opcode, fixed);
    default: return bits_map<uint8_t>(opcode, fixed);
  }
}

template <class T>
MapFunction float_map(Opcode opcode, unsigned fixed) {
  switch (opcode) {
    case Opcode::add: return binary<Add, T>(fixed);
    case Opcode::subtract: return binary<Subtract, T>(fixed);
    case Opcode::multiply: return binary<Multiply, T>(fixed);
    case Opcode::divide: return fixed == 2 ? divide_by<T> : binary<Divide, T>(fixed);
    case Opcode::power: return binary<Power, T>(fixed);
    case Opcode::maximum: return binary<Maximum, T>(fixed);
    case Opcode::minimum: return binary<Minimum, T>(fixed);
    case Opcode::multiply_add: return ternary<MultiplyAdd, T>(fixed);
    case Opcode::multiply_subtract: return ternary<MultiplySubtract, T>(fixed);
    case Opcode::subtract_multiply: return ternary<SubtractMultiply, T>(fixed);
    case Opcode::negative: return unary<Negative, T>(fixed);
    case Opcode::absolute: return unary<Absolute, T>(fixed);
    case Opcode::sign: return unary<Sign, T>(fixed);
    case Opcode::floor: return unary<Floor, T>(fixed);
    case Opcode::exp: return unary<Exp, T>(fixed);
    case Opcode::expm1: return unary<Expm1, T>(fixed);
    case Opcode::log: return unary<Log, T>(fixed);
    case Opcode::log1p: return unary<Log1p, T>(fixed);
    case Opcode::sqrt: return unary<SquareRoot, T>(fixed);
    case Opcode::sin: return unary<Sin, T>(fixed);
    case Opcode::cos: return unary<Cos, T>(fixed);
    case Opcode::tanh: return unary<Tanh, T>(fixed);
    case Opcode::sigmoid: return unary<Sigmoid, T>(fixed);
    case Opcode::softplus: return unary<Softplus, T>(fixed);
    case Opcode::erf: return unary<Erf, T>(fixed);
    default: return nullptr;
  }
}

// Sums and products of int32 are those of uint32, bit by bit, and wrap.
template <class T>
MapFunction whole_map(Opcode opcode, unsigned fixed) {
  constexpr bool has_sign = T(-1) < T(0);
  switch (opcode) {
    case Opcode::add: return binary<Add, uint32_t>(fixed);
    case Opcode::subtract: return binary<Subtract, uint32_t>(fixed);
    case Opcode::multiply: return binary<Multiply, uint32_t>(fixed);
    case Opcode::negative: return unary<Negative, uint32_t>(fixed);
    case Opcode::maximum: return binary<Maximum, T>(fixed);
    case Opcode::minimum: return binary<Minimum, T>(fixed);
    case Opcode::absolute:
      return has_sign ? unary<AbsoluteWhole, uint32_t>(fixed)
                      : unary<Copied, uint32_t>(fixed);
    default: return nullptr;
  }
}

inline MapFunction boolean_map(Opcode opcode, unsigned fixed) {
  switch (opcode) {
    case Opcode::logical_and: return binary<LogicalAnd, uint8_t>(fixed);
    case Opcode::logical_not: return unary<LogicalNot, uint8_t>(fixed);
    default: return nullptr;
  }
}

template <class In, class Out>
MapFunction cast_pair() {
  return map1<Cast<Out, In>, Out, 0, In>;
}

template <class T>
MapFunction cast_float(Dtype out) {
  switch (out) {
    case Dtype::float32: return cast_pair<T, float>();
    case Dtype::float64: return cast_pair<T, double>();
    case Dtype::int32: return cast_pair<T, int32_t>();
    case Dtype::uint32: return map_to_uint32<T>;
    case Dtype::boolean: return map1<NotZero<T>, uint8_t, 0, T>;
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
    case Dtype::boolean: return map1<NotZero<T>, uint8_t, 0, T>;
    default: return nullptr;
  }
}

inline MapFunction cast_truth(Dtype out) {
  switch (out) {
    case Dtype::float32: return map1<CastTruth<float>, float, 0, uint8_t>;
    case Dtype::float64: return map1<CastTruth<double>, double, 0, uint8_t>;
    case Dtype::int32:
    case Dtype::uint32: return map1<CastTruth<int32_t>, int32_t, 0, uint8_t>;
    case Dtype::boolean: return map1<NotZero<uint8_t>, uint8_t, 0, uint8_t>;
    default: return nullptr;
  }
}

inline MapFunction cast_map(Dtype in, Dtype out) {
  switch (in) {
    case Dtype::float32: return cast_float<float>(out);
    case Dtype::float64: return cast_float<double>(out);
    case Dtype::int32: return cast_whole<int32_t>(out);
    case Dtype::uint32: return cast_whole<uint32_t>(out);
    case Dtype::boolean: return cast_truth(out);
    default: return nullptr;
  }
}

inline MapFunction same_type_map(Opcode opcode, Dtype dtype, unsigned fixed) {
  switch (dtype) {
    case Dtype::float32: return float_map<float>(opcode, fixed);
    case Dtype::float64: return float_map<double>(opcode, fixed);
    case Dtype::int32: return whole_map<int32_t>(opcode, fixed);
    case Dtype::uint32: return whole_map<uint32_t>(opcode, fixed);
    case Dtype::boolean: return boolean_map(opcode, fixed);
    default: return nullptr;
  }
}

inline MapFunction map(Opcode opcode, Dtype in, Dtype out, unsigned fixed) {
  switch (opcode) {
    case Opcode::equal:
    case Opcode::less:
    case Opcode::less_equal:
      return out == Dtype::boolean ? comparison_map(opcode, in, fixed) : nullptr;
    case Opcode::cast: return fixed == 0 ? cast_map(in, out) : nullptr;
    case Opcode::select:
    case Opcode::stop_gradient: return in == out ? moving_map(opcode, in, fixed) : nullptr;
    default: return in == out ? same_type_map(opcode, in, fixed) : nullptr;
  }
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
