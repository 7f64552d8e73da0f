// Every operation that a plan can hold, in the order of thalweg.program.primitives.
// The Python side compares this list with its own when it loads the engine.
#pragma once

#include <cstdint>

namespace thalweg {

//   name, version of its meaning
#define THALWEG_OPCODES(X) \
  X(constant, 1)           \
  X(add, 1)                \
  X(subtract, 1)           \
  X(multiply, 1)           \
  X(divide, 1)             \
  X(negative, 1)           \
  X(power, 1)              \
  X(maximum, 1)            \
  X(minimum, 1)            \
  X(absolute, 1)           \
  X(sign, 1)               \
  X(floor, 1)              \
  X(exp, 1)                \
  X(expm1, 1)              \
  X(log, 1)                \
  X(log1p, 1)              \
  X(sqrt, 1)               \
  X(sin, 1)                \
  X(cos, 1)                \
  X(tanh, 1)               \
  X(sigmoid, 1)            \
  X(softplus, 1)           \
  X(erf, 1)                \
  X(equal, 1)              \
  X(less, 1)               \
  X(less_equal, 1)         \
  X(logical_and, 1)        \
  X(logical_not, 1)        \
  X(select, 1)             \
  X(cast, 1)               \
  X(stop_gradient, 1)      \
  X(sum, 1)                \
  X(max, 1)                \
  X(argmax, 1)             \
  X(reshape, 1)            \
  X(transpose, 1)          \
  X(broadcast, 1)          \
  X(slice, 1)              \
  X(pad, 1)                \
  X(concatenate, 1)        \
  X(matmul, 1)             \
  X(take, 1)               \
  X(scatter_add, 1)        \
  X(random_bits, 1)

enum class Opcode : std::uint8_t {
#define THALWEG_NAME(name, version) name,
  THALWEG_OPCODES(THALWEG_NAME)
#undef THALWEG_NAME
      count,
  // What the engine makes by itself of a multiply whose only reader adds or subtracts.
  multiply_add,       // a * b + c
  multiply_subtract,  // a * b - c
  subtract_multiply,  // c - a * b
  // Of chains: what begins one, leaves what flows in memory, and ends it.
  load,
  leave,
  end,
};

enum class Dtype : std::uint8_t { float32, float64, int32, uint32, boolean, count };

inline constexpr int item_size(Dtype dtype) {
  return dtype == Dtype::float64 ? 8 : dtype == Dtype::boolean ? 1 : 4;
}

}  // namespace thalweg
