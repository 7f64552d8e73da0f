// Plans: what the Python side encodes as words, decoded and verified.
//
// A plan that `decode` returns can be run on any rows up to its `rows`, on any threads, if
// each of its buffers has memory of its own: every place lies inside its buffer, every type
// fits, no step writes what it still reads. Nothing later checks it again. What only data
// says, the numbers of rows, is checked as it is used.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <variant>
#include <vector>

#include "kernels/kernels.h"

namespace thalweg {

// Words that are no plan; the message says which step and what is wrong with it.
struct PlanError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

inline constexpr Index MOST_BYTES = Index{1} << 40;  // of a buffer or the arena
inline constexpr int MOST_LOOPS = 4;                 // one in another

using Extents = std::array<Index, MAX_RANK>;
using Moves = std::array<Index, MOST_LOOPS>;  // bytes a turn, by the depth of the loop

// Elements of a buffer. Strides and offset count bytes; along an axis whose stride is
// negative a place runs backwards, and the offset is that of its first element.
struct Place {
  int buffer;
  Index offset;
  Dtype dtype;
  int rank;
  int rows_axis;  // -1: none
  Extents extents;
  Extents strides;
  // Where it lies in the end, as a moving buffer lies in another: at the first time of
  // all loops, and by how many bytes it moves in each and in all.
  int origin = 0;
  Index origin_offset = 0;
  Moves moves{};
  Index span = 0;
};

struct Buffer {
  BufferKind kind;
  Dtype dtype;
  int rank;
  Extents extents;
  Index offset;  // of a constant, in the bytes of constants
  Index bytes;
  bool written = false;
  // Of one that moves: where it is at time 0, its bytes from one time to the next, and
  // how many times there are. Only steps of its loop may name it: it is there then.
  Place start{};
  Index move = 0;
  Index times = 0;
  bool is_there = true;
};

struct MapLine {
  Opcode opcode;
  Dtype dtype;
  int operands;
  std::array<int, 3> operand;
};

struct MapOutput {
  int line;  // a register: inputs first, then lines
  Place place;
};

struct MapStep {
  bool tail;
  int rank;
  int rows_axis;
  Extents extents;
  std::vector<Place> inputs;
  std::vector<MapLine> lines;
  std::vector<MapOutput> outputs;
};

// All are matrices, but for a, of which so many first axes can be its rows and the others
// its columns, or out, to whose elements the product's are added, and which may lie on
// each other: windows of an array. 0: they are matrices.
struct ProductStep {
  Place a, b, out;
  std::optional<Place> bias;
  int row_axes;      // of a
  int out_row_axes;  // of out
};

struct ReduceStep {
  Opcode opcode;
  Place in, out;
  std::array<bool, MAX_RANK> reduced;
};

struct CopyStep {
  Place in, out;
};

struct ZeroStep {
  Place out;
};

// To the largest elements along some axes, which are windows, equal parts.
struct ShareStep {
  Place in, part, out;  // part has extent 1 along the axes
  std::array<bool, MAX_RANK> shared;
};

// What is added where the elements of out may lie on each other.
struct AddStep {
  Place in, out;
};

// Rows of a table by their numbers: taken out of it, or added into it. What is taken are
// rows of `in`, which is the table; what is added are the rows `in`, and `out` is the
// table.
struct IndexStep {
  StepKind kind;
  Place in, indices, out;

  bool takes() const { return kind == StepKind::take; }
  const Place& table() const { return takes() ? in : out; }
  const Place& rows() const { return takes() ? out : in; }
};

struct RandomBitsStep {
  Place seed, step, out;
  std::uint32_t operation;
};

// Steps that run again and again, over buffers that move from turn to turn. Totals are
// added to outside of loops alone.
struct LoopStep {
  Place turns;  // after how many to stop
  bool reverse;
  Index times;  // the most turns
  std::vector<int> moving;
  std::shared_ptr<const struct Body> body;
};

using Step = std::variant<MapStep, ProductStep, ReduceStep, CopyStep, ZeroStep, ShareStep,
                          AddStep, IndexStep, RandomBitsStep, LoopStep>;

struct Body {
  std::vector<Step> steps;
};

struct Plan {
  Index arena_bytes;
  Index rows;  // the most rows of a block; 0: nothing has rows
  Index constant_bytes;
  std::vector<Buffer> buffers;  // the arena first
  std::vector<Step> steps;
  int depth = 0;  // of loops, while it is decoded
};

// Throws PlanError if the words are no plan.
Plan decode(const std::int64_t* words, std::size_t count, std::size_t constant_bytes);

// Throws PlanError if a step breaks a rule; marks the buffers that it writes.
// `before` is the step before it, or null.
void verify(Plan& plan, const Step& step, const Step* before);

// What a registers' line reads: the dtype of its operands, that of a select's choices.
Dtype dtype_read(const MapStep& step, const MapLine& line);

const char* name(Opcode opcode);
const char* name(Dtype dtype);

// Whether the elements lie in order without gaps.
bool is_contiguous(const Place& place);

// Whether an extent is 0.
bool is_empty(const Place& place);

bool is_total(const Plan& plan, const Place& place);

// The buffer that holds a place's bytes in the end.
inline const Buffer& origin_of(const Plan& plan, const Place& place) {
  return plan.buffers[static_cast<std::size_t>(place.origin)];
}

}  // namespace thalweg
