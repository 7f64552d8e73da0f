// What the words of a plan can name: operations, dtypes, kinds of steps and of buffers.
// The Python side compares each list with its own when it loads the engine.
#pragma once

#include <cstdint>

namespace thalweg {

inline constexpr std::int64_t MAGIC = 0x7448414c57454731;  // tHALWEG1
inline constexpr std::int64_t FORMAT = 1;

// --- operations ------------------------------------------------------------------------

// Every operation that a plan can hold, in the order of the table of primitives, with the
// version of its meaning. One that works element by element, so that it can be a line of a
// map, is all here but its functor, which stands in kernels/:
//
//   operands
//   types     what it takes and gives: see Types
//   cost      nanoseconds for an element of four bytes on one thread, about
//   functor   what it does to vectors
//   links     chained: it can hand its result on in registers; alone: it can't, or had
//             better not, since it wants the registers for itself
//
// From these lines come the enumeration, the rules of verify_map.cpp, the estimate of
// map_compile.cpp, and the functions of kernels/table.h and kernels/chain.h.
//
// clang-format off
#define THALWEG_OPERATIONS(OTHER, ELEMENTWISE) \
  OTHER(constant, 1) \
  /*          name, version, operands, types, cost, functor, links */ \
  ELEMENTWISE(add,           1, 2, number,   CHEAP,    Add,          chained) \
  ELEMENTWISE(subtract,      1, 2, number,   CHEAP,    Subtract,     chained) \
  ELEMENTWISE(multiply,      1, 2, number,   CHEAP,    Multiply,     chained) \
  ELEMENTWISE(divide,        1, 2, real,     DIVISION, Divide,       chained) \
  ELEMENTWISE(negative,      1, 1, number,   CHEAP,    Negative,     chained) \
  ELEMENTWISE(power,         1, 2, real,     POWER,    Power,        alone) \
  ELEMENTWISE(maximum,       1, 2, number,   CHEAP,    Maximum,      chained) \
  ELEMENTWISE(minimum,       1, 2, number,   CHEAP,    Minimum,      chained) \
  ELEMENTWISE(absolute,      1, 1, number,   CHEAP,    Absolute,     chained) \
  ELEMENTWISE(sign,          1, 1, real,     CHEAP,    Sign,         chained) \
  ELEMENTWISE(floor,         1, 1, real,     CHEAP,    Floor,        alone) \
  ELEMENTWISE(exp,           1, 1, real,     SERIES,   Exp,          alone) \
  ELEMENTWISE(expm1,         1, 1, real,     SERIES,   Expm1,        alone) \
  ELEMENTWISE(log,           1, 1, real,     SERIES,   Log,          alone) \
  ELEMENTWISE(log1p,         1, 1, real,     SERIES,   Log1p,        alone) \
  ELEMENTWISE(sqrt,          1, 1, real,     DIVISION, SquareRoot,   chained) \
  ELEMENTWISE(sin,           1, 1, real,     SERIES,   Sin,          alone) \
  ELEMENTWISE(cos,           1, 1, real,     SERIES,   Cos,          alone) \
  ELEMENTWISE(tanh,          1, 1, real,     SERIES,   Tanh,         alone) \
  ELEMENTWISE(sigmoid,       1, 1, real,     SERIES,   Sigmoid,      alone) \
  ELEMENTWISE(softplus,      1, 1, real,     SERIES,   Softplus,     alone) \
  ELEMENTWISE(erf,           1, 1, real,     SERIES,   Erf,          alone) \
  ELEMENTWISE(equal,         1, 2, compared, CHEAP,    Equal,        chained) \
  ELEMENTWISE(less,          1, 2, compared, CHEAP,    Less,         chained) \
  ELEMENTWISE(less_equal,    1, 2, compared, CHEAP,    LessEqual,    chained) \
  ELEMENTWISE(logical_and,   1, 2, truth,    CHEAP,    LogicalAnd,   alone) \
  ELEMENTWISE(logical_not,   1, 1, truth,    CHEAP,    LogicalNot,   alone) \
  ELEMENTWISE(select,        1, 3, chosen,   CHEAP,    Select,       chained) \
  ELEMENTWISE(cast,          1, 1, cast,     CHEAP,    Cast,         alone) \
  ELEMENTWISE(stop_gradient, 1, 1, same,     CHEAP,    Copied,       alone) \
  OTHER(sum, 1) \
  OTHER(max, 1) \
  OTHER(share_max, 1) \
  OTHER(argmax, 1) \
  OTHER(reshape, 1) \
  OTHER(transpose, 1) \
  OTHER(broadcast, 1) \
  OTHER(slice, 1) \
  OTHER(pad, 1) \
  OTHER(concatenate, 1) \
  OTHER(windows, 1) \
  OTHER(add_windows, 1) \
  OTHER(matmul, 1) \
  OTHER(contract, 1) \
  OTHER(take, 1) \
  OTHER(scatter_add, 1) \
  OTHER(random_bits, 1)

// What the engine makes by itself of a multiply whose only reader adds or subtracts:
// a · b + c, a · b − c, c − a · b. No plan may hold them.
#define THALWEG_JOINED(ELEMENTWISE) \
  ELEMENTWISE(multiply_add,      1, 3, real, CHEAP, MultiplyAdd,      chained) \
  ELEMENTWISE(multiply_subtract, 1, 3, real, CHEAP, MultiplySubtract, chained) \
  ELEMENTWISE(subtract_multiply, 1, 3, real, CHEAP, SubtractMultiply, chained)
// clang-format on

enum class Opcode : std::uint8_t {
#define THALWEG_NAME(name, ...) name,
  THALWEG_OPERATIONS(THALWEG_NAME, THALWEG_NAME)  //
  count,
  THALWEG_JOINED(THALWEG_NAME)
#undef THALWEG_NAME
  // Of chains: what begins one, leaves what flows in memory, and ends it.
  load,
  leave,
  end,
};

// Which dtypes an elementwise operation takes, and which it gives.
enum class Types : std::uint8_t {
  none,      // it is no elementwise operation
  number,    // any but booleans and bytes; the same
  real,      // float32 or float64; the same
  truth,     // booleans; the same
  compared,  // any but bytes; a boolean
  chosen,    // a boolean and two of any; their dtype
  cast,      // any; any but bytes
  same,      // any; the same
};

// What an element of four bytes takes, in nanoseconds.
inline constexpr double CHEAP = 0.025, DIVISION = 0.17, SERIES = 0.5, POWER = 1.5;

struct Operation {
  const char* name;
  int version;
  int operands = 0;  // the rest is that of elementwise operations
  Types types = Types::none;
  double cost = 0;
};

// By opcode, up to those of chains.
inline constexpr Operation OPERATIONS[] = {
#define THALWEG_OTHER(name, version) {#name, version},
#define THALWEG_ELEMENTWISE(name, version, operands, types, cost, functor, links) \
  {#name, version, operands, Types::types, cost},
    THALWEG_OPERATIONS(THALWEG_OTHER, THALWEG_ELEMENTWISE)  //
    {"?", 0},
    THALWEG_JOINED(THALWEG_ELEMENTWISE)
#undef THALWEG_ELEMENTWISE
#undef THALWEG_OTHER
};

inline constexpr const Operation& operation(Opcode opcode) {
  return OPERATIONS[static_cast<int>(opcode)];
}

// --- dtypes ----------------------------------------------------------------------------

//   name, name in Python
#define THALWEG_DTYPES(X) \
  X(float32, "float32")   \
  X(float64, "float64")   \
  X(int32, "int32")       \
  X(uint32, "uint32")     \
  X(boolean, "bool")      \
  X(uint8, "uint8")

enum class Dtype : std::uint8_t {
#define THALWEG_NAME(name, text) name,
  THALWEG_DTYPES(THALWEG_NAME)
#undef THALWEG_NAME
      count
};

inline constexpr int item_size(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64: return 8;
    case Dtype::boolean:
    case Dtype::uint8: return 1;
    default: return 4;
  }
}

// --- steps and buffers -----------------------------------------------------------------

//   name, struct of plan.h
#define THALWEG_STEPS(X)             \
  X(map, MapStep)                    \
  X(product, ProductStep)            \
  X(product_of_windows, ProductStep) \
  X(product_to_windows, ProductStep) \
  X(reduce, ReduceStep)              \
  X(copy, CopyStep)                  \
  X(zero, ZeroStep)                  \
  X(share_max, ShareStep)            \
  X(add_copy, AddStep)               \
  X(take, IndexStep)                 \
  X(scatter_add, IndexStep)          \
  X(random_bits, RandomBitsStep)     \
  X(loop, LoopStep)

enum class StepKind : std::uint8_t {
#define THALWEG_NAME(name, type) name,
  THALWEG_STEPS(THALWEG_NAME)
#undef THALWEG_NAME
      count
};

#define THALWEG_BUFFERS(X) \
  X(whole)                 \
  X(rows)                  \
  X(total)                 \
  X(constant)              \
  X(moving)

enum class BufferKind : std::uint8_t {
#define THALWEG_NAME(name) name,
  THALWEG_BUFFERS(THALWEG_NAME)
#undef THALWEG_NAME
      count,
  arena  // the first, which no words name
};

}  // namespace thalweg
