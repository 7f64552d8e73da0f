#include "core/plan.h"

#include <algorithm>
#include <string>

#include "core/verify.h"

namespace thalweg {

namespace {

constexpr Index MOST_REGISTERS = 1 << 14;  // of a map

Index checked_product(Index a, Index b) {
  Index product;
  if (__builtin_mul_overflow(a, b, &product) || product > MOST_BYTES)
    throw PlanError("a size of more than 2^40 bytes");
  return product;
}

// Reads words in order, and never past their end.
class Reader {
 public:
  Reader(const std::int64_t* words, std::size_t count) : at_(words), end_(words + count) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::int64_t word() {
    if (at_ == end_) throw PlanError("words end too early");
    return *at_++;
  }

  // A word from `least` up to `most`.
  Index number(const char* what, Index least, Index most) {
    const std::int64_t value = word();
    if (value < least || value > most)
      throw PlanError(std::string(what) + " must be " + std::to_string(least) + " to " +
                      std::to_string(most) + ", got " + std::to_string(value));
    return value;
  }

  // How many things follow that take so many words each at least.
  std::size_t count(const char* what, std::size_t words = 1) {
    return static_cast<std::size_t>(number(what, 0, static_cast<Index>(left() / words)));
  }

  int small(const char* what, int least, int most) {
    return static_cast<int>(number(what, least, most));
  }

  Dtype dtype() {
    return static_cast<Dtype>(small("a dtype", 0, static_cast<int>(Dtype::count) - 1));
  }

  Opcode opcode() {
    return static_cast<Opcode>(small("an opcode", 0, static_cast<int>(Opcode::count) - 1));
  }

  Extents extents(int rank, const char* what) {
    Extents result{};
    for (int axis = 0; axis < rank; ++axis) result[axis] = number(what, 0, MOST_BYTES);
    return result;
  }

  Extents strides(int rank) {
    Extents result{};
    for (int axis = 0; axis < rank; ++axis)
      result[axis] = number("a stride", -MOST_BYTES, MOST_BYTES);
    return result;
  }

  Reader part(std::size_t words) {
    if (words > left()) throw PlanError("words end too early");
    const Reader result(at_, words);
    at_ += words;
    return result;
  }

 private:
  const std::int64_t* at_;
  const std::int64_t* end_;
};

Index size_in_bytes(Dtype dtype, int rank, const Extents& extents) {
  Index bytes = item_size(dtype);
  for (int axis = 0; axis < rank; ++axis) bytes = checked_product(bytes, extents[axis]);
  return bytes;
}

// Where a place lies in the end: in a buffer that doesn't move.
void find_origin(const Plan& plan, Place& place) {
  const Buffer& buffer = plan.buffers[static_cast<std::size_t>(place.buffer)];
  place.origin = place.buffer;
  place.origin_offset = place.offset;
  if (buffer.kind != BufferKind::moving) return;
  place.origin = buffer.start.origin;
  place.origin_offset += buffer.start.origin_offset;
  place.moves = buffer.start.moves;
  place.span = buffer.start.span;
}

Place read_place(Reader& reader, const Plan& plan) {
  Place place{};
  const auto buffers = static_cast<int>(plan.buffers.size());
  place.buffer = reader.small("a buffer", 0, buffers - 1);
  place.offset = reader.number("an offset", 0, MOST_BYTES);
  place.dtype = reader.dtype();
  place.rank = reader.small("a rank", 0, MAX_RANK);
  place.rows_axis = reader.small("a rows axis", -1, place.rank - 1);
  place.extents = reader.extents(place.rank, "an extent");
  place.strides = reader.strides(place.rank);
  Extents counted = place.extents;  // no product of some of them overflows
  for (Index& extent : counted) extent = std::max<Index>(extent, 1);
  size_in_bytes(place.dtype, place.rank, counted);
  find_origin(plan, place);
  return place;
}

// Of a buffer that moves; whether it stays within the one around it, its loop sees.
void read_moving(Reader& reader, const Plan& plan, Buffer& buffer) {
  Place& start = buffer.start;
  start = read_place(reader, plan);
  buffer.move = reader.number("a move", 0, MOST_BYTES);
  buffer.times = reader.number("times", 0, INT32_MAX);
  buffer.dtype = start.dtype;
  buffer.rank = start.rank;
  buffer.extents = start.extents;
  buffer.is_there = false;
}

Buffer read_buffer(Reader& reader, const Plan& plan) {
  Buffer buffer{};
  buffer.kind = static_cast<BufferKind>(
      reader.small("a buffer's kind", 0, static_cast<int>(BufferKind::count) - 1));
  if (buffer.kind == BufferKind::moving) {
    read_moving(reader, plan, buffer);
    return buffer;
  }
  buffer.dtype = reader.dtype();
  buffer.rank = reader.small("a rank", 0, MAX_RANK);
  buffer.extents = reader.extents(buffer.rank, "an extent");
  buffer.offset = reader.number("an offset", 0, MOST_BYTES);
  buffer.bytes = size_in_bytes(buffer.dtype, buffer.rank, buffer.extents);
  if (buffer.kind == BufferKind::constant) {
    if (buffer.offset > plan.constant_bytes - buffer.bytes)
      throw PlanError("a constant leaves the bytes of constants");
    if (buffer.offset % item_size(buffer.dtype))
      throw PlanError("a constant's offset is no multiple of its item size");
  } else if (buffer.offset) {
    throw PlanError("only a constant has an offset");
  }
  if (buffer.kind == BufferKind::rows &&
      (buffer.rank == 0 || plan.rows == 0 || buffer.extents[0] != plan.rows))
    throw PlanError("a buffer of rows must have the plan's rows as its first axis");
  if (buffer.kind == BufferKind::total && !is_number(buffer.dtype))
    throw PlanError("a total must hold numbers, which can be added up");
  return buffer;
}

template <class Type>
Type read(StepKind kind, Reader& reader, Plan& plan);

template <>
MapStep read<MapStep>(StepKind, Reader& reader, Plan& plan) {
  MapStep step{};
  step.tail = reader.small("tail", 0, 1) == 1;
  step.rank = reader.small("a rank", 0, MAX_RANK);
  step.rows_axis = reader.small("a rows axis", -1, step.rank - 1);
  step.extents = reader.extents(step.rank, "an extent");
  step.inputs.resize(reader.count("inputs", 5));
  for (Place& input : step.inputs) input = read_place(reader, plan);
  step.lines.resize(reader.count("lines", 4));
  auto registers = static_cast<int>(step.inputs.size());
  if (step.inputs.size() + step.lines.size() > MOST_REGISTERS)
    throw PlanError("more than 2^14 registers");
  for (MapLine& line : step.lines) {
    line.opcode = reader.opcode();
    line.dtype = reader.dtype();
    line.operands = reader.small("a line's operands", 1, 3);
    for (int i = 0; i < line.operands; ++i)
      line.operand[i] = reader.small("a register", 0, registers - 1);
    ++registers;
  }
  step.outputs.resize(reader.count("outputs", 6));
  for (MapOutput& output : step.outputs) {
    output.line = reader.small("a register", 0, registers - 1);
    output.place = read_place(reader, plan);
  }
  return step;
}

template <>
ProductStep read<ProductStep>(StepKind kind, Reader& reader, Plan& plan) {
  ProductStep step{};
  step.a = read_place(reader, plan);
  step.b = read_place(reader, plan);
  step.out = read_place(reader, plan);
  if (reader.small("bias", 0, 1)) step.bias = read_place(reader, plan);
  if (kind == StepKind::product_of_windows)
    step.row_axes = reader.small("axes of rows", 1, step.a.rank);
  if (kind == StepKind::product_to_windows)
    step.out_row_axes = reader.small("axes of rows", 1, step.out.rank);
  return step;
}

std::array<bool, MAX_RANK> read_axes(Reader& reader, int rank) {
  std::array<bool, MAX_RANK> named{};
  const std::size_t axes = reader.count("axes");
  for (std::size_t i = 0; i < axes; ++i) {
    const auto axis = static_cast<std::size_t>(reader.small("an axis", 0, rank - 1));
    if (named[axis]) throw PlanError("an axis is named twice");
    named[axis] = true;
  }
  return named;
}

template <>
ReduceStep read<ReduceStep>(StepKind, Reader& reader, Plan& plan) {
  ReduceStep step{};
  step.opcode = reader.opcode();
  step.in = read_place(reader, plan);
  step.out = read_place(reader, plan);
  step.reduced = read_axes(reader, step.in.rank);
  return step;
}

template <>
ShareStep read<ShareStep>(StepKind, Reader& reader, Plan& plan) {
  ShareStep step{};
  step.in = read_place(reader, plan);
  step.part = read_place(reader, plan);
  step.out = read_place(reader, plan);
  step.shared = read_axes(reader, step.in.rank);
  return step;
}

template <>
AddStep read<AddStep>(StepKind, Reader& reader, Plan& plan) {
  const Place in = read_place(reader, plan);
  return {in, read_place(reader, plan)};
}

template <>
CopyStep read<CopyStep>(StepKind, Reader& reader, Plan& plan) {
  const Place in = read_place(reader, plan);
  return {in, read_place(reader, plan)};
}

template <>
ZeroStep read<ZeroStep>(StepKind, Reader& reader, Plan& plan) {
  return {read_place(reader, plan)};
}

template <>
IndexStep read<IndexStep>(StepKind kind, Reader& reader, Plan& plan) {
  const Place in = read_place(reader, plan);
  const Place indices = read_place(reader, plan);
  return {kind, in, indices, read_place(reader, plan)};
}

template <>
RandomBitsStep read<RandomBitsStep>(StepKind, Reader& reader, Plan& plan) {
  RandomBitsStep step{};
  step.seed = read_place(reader, plan);
  step.step = read_place(reader, plan);
  step.out = read_place(reader, plan);
  step.operation = static_cast<std::uint32_t>(reader.number("an operation", 0, UINT32_MAX));
  return step;
}

void add_step(Reader& reader, Plan& plan, std::vector<Step>& steps);

// A buffer of a loop is there from its first step to its last.
void enter_moving(Plan& plan, int number, Index times) {
  Buffer& buffer = plan.buffers[static_cast<std::size_t>(number)];
  if (buffer.kind != BufferKind::moving || buffer.is_there || buffer.times != times)
    throw PlanError("a loop moves a buffer that isn't its own");
  find_origin(plan, buffer.start);
  verify_moving(plan, buffer);
  Place& start = buffer.start;
  start.moves[static_cast<std::size_t>(plan.depth)] = buffer.move;
  start.span += std::max<Index>(times - 1, 0) * buffer.move;
  buffer.is_there = true;
}

template <>
LoopStep read<LoopStep>(StepKind, Reader& reader, Plan& plan) {
  LoopStep step{};
  step.turns = read_place(reader, plan);
  step.reverse = reader.small("reverse", 0, 1) == 1;
  step.times = reader.number("times", 0, INT32_MAX);
  if (plan.depth == MOST_LOOPS) throw PlanError("more than 4 loops, one in another");
  const auto buffers = static_cast<int>(plan.buffers.size());
  step.moving.resize(reader.count("moving buffers"));
  for (int& buffer : step.moving) {
    buffer = reader.small("a buffer", 0, buffers - 1);
    enter_moving(plan, buffer, step.times);
  }
  ++plan.depth;
  auto body = std::make_shared<Body>();
  const std::size_t steps = reader.count("steps", 2);
  for (std::size_t i = 0; i < steps; ++i) add_step(reader, plan, body->steps);
  step.body = std::move(body);
  --plan.depth;
  for (const int buffer : step.moving)
    plan.buffers[static_cast<std::size_t>(buffer)].is_there = false;
  return step;
}

template <class Type>
Step read_as(StepKind kind, Reader& reader, Plan& plan) {
  return read<Type>(kind, reader, plan);
}

Step read_step(StepKind kind, Reader& reader, Plan& plan) {
  static constexpr Step (*READERS[])(StepKind, Reader&, Plan&) = {
#define THALWEG_READER(name, type) read_as<type>,
      THALWEG_STEPS(THALWEG_READER)
#undef THALWEG_READER
  };
  return READERS[static_cast<int>(kind)](kind, reader, plan);
}

void add_step(Reader& reader, Plan& plan, std::vector<Step>& steps) {
  const auto kind = static_cast<StepKind>(
      reader.small("a step's kind", 0, static_cast<int>(StepKind::count) - 1));
  Reader part = reader.part(reader.count("words of a step"));
  Step step = read_step(kind, part, plan);
  if (part.left()) throw PlanError("more words than it needs");
  verify(plan, step, steps.empty() ? nullptr : &steps.back());
  steps.push_back(std::move(step));
}

}  // namespace

Plan decode(const std::int64_t* words, std::size_t count, std::size_t constant_bytes) {
  Reader reader(words, count);
  Plan plan{};
  if (reader.word() != MAGIC) throw PlanError("these words are no plan");
  reader.number("the format's version", FORMAT, FORMAT);
  plan.arena_bytes = reader.number("the arena's bytes", 0, MOST_BYTES);
  plan.rows = reader.number("rows", 0, INT32_MAX);
  const std::size_t buffers = reader.count("buffers", 4);
  const std::size_t steps = reader.count("steps", 2);
  const auto most = static_cast<Index>(constant_bytes);
  plan.constant_bytes = reader.number("bytes of constants", most, most);
  plan.buffers.push_back(
      {BufferKind::arena, Dtype::boolean, 1, {plan.arena_bytes}, 0, plan.arena_bytes});
  for (std::size_t i = 1; i <= buffers; ++i) {
    try {
      plan.buffers.push_back(read_buffer(reader, plan));
    } catch (const PlanError& error) {  // GCOVR_EXCL_BR_LINE: all but a lack of memory
      throw PlanError("buffer " + std::to_string(i) + ": " + error.what());
    }
  }
  for (std::size_t i = 0; i < steps; ++i) {
    try {
      add_step(reader, plan, plan.steps);
    } catch (const PlanError& error) {  // GCOVR_EXCL_BR_LINE: all but a lack of memory
      throw PlanError("step " + std::to_string(i) + ": " + error.what());
    }
  }
  if (reader.left()) throw PlanError("words follow the last step");
  return plan;
}

bool is_empty(const Place& place) {
  const auto end = place.extents.begin() + place.rank;
  return std::find(place.extents.begin(), end, 0) != end;
}

bool is_total(const Plan& plan, const Place& place) {
  return origin_of(plan, place).kind == BufferKind::total;
}

bool is_contiguous(const Place& place) {
  Index expected = item_size(place.dtype);
  for (int axis = place.rank - 1; axis >= 0; --axis) {
    if (place.extents[axis] != 1 && place.strides[axis] != expected) return false;
    expected *= place.extents[axis];
  }
  return true;
}

const char* name(Opcode opcode) { return operation(opcode).name; }

const char* name(Dtype dtype) {
  static const char* const names[] = {
#define THALWEG_TEXT(name, text) text,
      THALWEG_DTYPES(THALWEG_TEXT)
#undef THALWEG_TEXT
  };
  return names[static_cast<int>(dtype)];
}

}  // namespace thalweg
