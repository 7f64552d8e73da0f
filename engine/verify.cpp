// The rules of steps: types that fit, places inside their buffers, rows that agree.
#include <string>

#include "plan.h"

namespace thalweg {

namespace {

void demand(bool holds, const char* rule) {
  if (!holds) throw PlanError(rule);
}

bool is_float(Dtype dtype) {
  return dtype == Dtype::float32 || dtype == Dtype::float64;
}

bool is_number(Dtype dtype) { return dtype != Dtype::boolean; }

// Bytes from a place's start to the end of its last element, leaving out one axis.
Index reach(const Place& place, int left_out) {
  Index bytes = item_size(place.dtype);
  for (int axis = 0; axis < place.rank; ++axis) {
    if (axis == left_out || place.extents[axis] == 0) continue;
    Index span;
    if (__builtin_mul_overflow(place.extents[axis] - 1, place.strides[axis], &span) ||
        __builtin_add_overflow(bytes, span, &bytes) || bytes > MOST_BYTES)
      throw PlanError("a place leaves its buffer");
  }
  return bytes;
}

// Each row of the block moves a place on by the bytes of a row of its buffer, and the
// place stays within the row: so it fits whatever rows a block has.
void verify_rows_place(const Plan& plan, const Buffer& buffer, const Place& place) {
  if (place.rows_axis < 0) {  // it sees all rows at once, so a run must have them all
    demand(is_empty(place) ? place.offset <= buffer.bytes
                           : place.offset <= buffer.bytes - reach(place, -1),
           "a place leaves its buffer");
    return;
  }
  const Index row_bytes = buffer.bytes / plan.rows;
  const Index stride = place.strides[place.rows_axis];
  const Index parts = place.extents[place.rows_axis] / plan.rows;
  Index moved;
  demand(!__builtin_mul_overflow(stride, parts, &moved) && moved == row_bytes,
         "a place's stride along its rows axis is not that of the rows of its buffer");
  demand(is_empty(place) || place.offset + reach(place, place.rows_axis) <= stride,
         "a place leaves its row");
}

void verify_place(const Plan& plan, const Place& place) {
  const Buffer& buffer = plan.buffers[static_cast<std::size_t>(place.buffer)];
  const Index item = item_size(place.dtype);
  demand(buffer.kind == BufferKind::arena || buffer.dtype == place.dtype,
         "a place has another dtype than its buffer");
  demand(place.offset % item == 0, "an offset is no multiple of the item size");
  for (int axis = 0; axis < place.rank; ++axis)
    demand(place.strides[axis] % item == 0, "a stride is no multiple of the item size");
  if (place.rows_axis >= 0) {
    const Index extent = place.extents[place.rows_axis];
    demand(plan.rows > 0 && extent > 0 && extent % plan.rows == 0,
           "the extent of a rows axis is no multiple of the plan's rows");
  }
  if (buffer.kind == BufferKind::rows)
    verify_rows_place(plan, buffer, place);
  else
    demand(is_empty(place) ? place.offset <= buffer.bytes
                           : place.offset <= buffer.bytes - reach(place, -1),
           "a place leaves its buffer");
}

// Whether a place may be written; `adds`: whether its step can add to a total.
void verify_written(Plan& plan, const Place& place, bool adds) {
  Buffer& buffer = plan.buffers[static_cast<std::size_t>(place.buffer)];
  demand(buffer.kind != BufferKind::constant, "a constant is written");
  demand(buffer.kind != BufferKind::total || adds, "this step can't write a total");
  demand(buffer.kind != BufferKind::total || place.rows_axis < 0,
         "a total's place has a rows axis");
  for (int axis = 0; axis < place.rank; ++axis)
    demand(place.extents[axis] <= 1 || place.strides[axis] > 0 || is_empty(place),
           "a written place has a stride of 0");
  verify_place(plan, place);
  buffer.written = true;
}

bool same_extents(const Place& a, const Place& b) {
  if (a.rank != b.rank) return false;
  for (int axis = 0; axis < a.rank; ++axis)
    if (a.extents[axis] != b.extents[axis]) return false;
  return true;
}

void verify_scalar(const Place& place, Dtype dtype, const char* rule) {
  demand(place.rank == 0 && place.dtype == dtype, rule);
}

// --- map ---------------------------------------------------------------------------

// What a line demands of its operands.
enum class LineRule { none, number, number2, real, real2, equal2, boolean, boolean2,
                      select, any };

LineRule rule_of(Opcode opcode) {
  switch (opcode) {
    case Opcode::add:
    case Opcode::subtract:
    case Opcode::multiply:
    case Opcode::maximum:
    case Opcode::minimum:
      return LineRule::number2;
    case Opcode::negative:
    case Opcode::absolute:
      return LineRule::number;
    case Opcode::divide:
    case Opcode::power:
      return LineRule::real2;
    case Opcode::sign:
    case Opcode::floor:
    case Opcode::exp:
    case Opcode::expm1:
    case Opcode::log:
    case Opcode::log1p:
    case Opcode::sqrt:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::tanh:
    case Opcode::sigmoid:
    case Opcode::softplus:
    case Opcode::erf:
      return LineRule::real;
    case Opcode::equal:
    case Opcode::less:
    case Opcode::less_equal:
      return LineRule::equal2;
    case Opcode::logical_and:
      return LineRule::boolean2;
    case Opcode::logical_not:
      return LineRule::boolean;
    case Opcode::select:
      return LineRule::select;
    case Opcode::cast:
    case Opcode::stop_gradient:
      return LineRule::any;
    default:
      return LineRule::none;
  }
}

int operands_of(LineRule rule) {
  switch (rule) {
    case LineRule::number2:
    case LineRule::real2:
    case LineRule::equal2:
    case LineRule::boolean2:
      return 2;
    case LineRule::select:
      return 3;
    default:
      return 1;
  }
}

// Whether dtypes fit: those of the operands and that of the result.
bool fits(Opcode opcode, LineRule rule, const Dtype* in, Dtype out) {
  switch (rule) {
    case LineRule::number:
    case LineRule::number2:
      return is_number(in[0]) && out == in[0];
    case LineRule::real:
    case LineRule::real2:
      return is_float(in[0]) && out == in[0];
    case LineRule::boolean:
    case LineRule::boolean2:
      return in[0] == Dtype::boolean && out == Dtype::boolean;
    case LineRule::equal2:
      return out == Dtype::boolean;
    case LineRule::select:
      return in[0] == Dtype::boolean && out == in[1];
    case LineRule::any:
      return opcode == Opcode::cast || out == in[0];
    case LineRule::none:
      return false;
  }
  return false;
}

void verify_line(const MapStep& step, const MapLine& line) {
  const LineRule rule = rule_of(line.opcode);
  demand(rule != LineRule::none, "a line's opcode is not elementwise");
  demand(line.operands == operands_of(rule), "a line has another number of operands");
  Dtype in[3] = {};
  const auto inputs = static_cast<int>(step.inputs.size());
  for (int i = 0; i < line.operands; ++i) {
    const int from = line.operand[static_cast<std::size_t>(i)];
    in[i] = from < inputs ? step.inputs[static_cast<std::size_t>(from)].dtype
                          : step.lines[static_cast<std::size_t>(from - inputs)].dtype;
  }
  const int last = line.operands - 1;
  const bool same = last == 0 || in[last] == in[last - 1];
  if (!same || !fits(line.opcode, rule, in, line.dtype))
    throw PlanError(std::string("a line's dtypes don't fit ") + name(line.opcode));
}

void verify_in_space(const Plan& plan, const MapStep& step, const Place& place) {
  demand(place.rank == step.rank, "a place has another rank than its map");
  for (int axis = 0; axis < step.rank; ++axis)
    demand(place.extents[axis] == step.extents[axis],
           "a place has other extents than its map");
  const bool stands_still = place.rows_axis < 0 && step.rows_axis >= 0 &&
                            place.strides[step.rows_axis] == 0;
  demand(place.rows_axis == step.rows_axis || stands_still,
         "a place has another rows axis than its map");
  verify_place(plan, place);
}

bool same_place(const Place& a, const Place& b) {
  if (a.buffer != b.buffer || a.offset != b.offset || !same_extents(a, b)) return false;
  for (int axis = 0; axis < a.rank; ++axis)
    if (a.extents[axis] > 1 && a.strides[axis] != b.strides[axis]) return false;
  return true;
}

void verify_tail(const MapStep& step, const Step* before) {
  const auto* product = before ? std::get_if<ProductStep>(before) : nullptr;
  demand(product != nullptr, "a tail must follow a product");
  bool found = false;
  for (const Place& input : step.inputs) found |= same_place(input, product->out);
  for (const MapOutput& out : step.outputs) found |= same_place(out.place, product->out);
  demand(found, "a tail must read or write what the product before it gives");
  demand(step.rows_axis == product->out.rows_axis,
         "a tail has another rows axis than its product");
}

struct Verifier {
  Plan& plan;
  const Step* before;

  void operator()(const MapStep& step) const {
    if (step.rows_axis >= 0) {
      const Index extent = step.extents[step.rows_axis];
      demand(plan.rows > 0 && extent > 0 && extent % plan.rows == 0,
             "the extent of a rows axis is no multiple of the plan's rows");
    }
    demand(!step.outputs.empty(), "a map has no output");
    for (const Place& input : step.inputs) verify_in_space(plan, step, input);
    for (const MapLine& line : step.lines) verify_line(step, line);
    for (const MapOutput& output : step.outputs) {
      verify_in_space(plan, step, output.place);
      verify_written(plan, output.place, false);
      const auto inputs = static_cast<int>(step.inputs.size());
      const Dtype dtype =
          output.line < inputs
              ? step.inputs[static_cast<std::size_t>(output.line)].dtype
              : step.lines[static_cast<std::size_t>(output.line - inputs)].dtype;
      demand(output.place.rows_axis == step.rows_axis,
             "an output has another rows axis than its map");
      demand(output.place.dtype == dtype, "an output has another dtype than its line");
    }
    if (step.tail) verify_tail(step, before);
  }

  // Whether two places agree on an axis of each: same extent, rows for both or neither
  // (or the one without rows stands still there).
  static void verify_axis(const Place& a, int axis_a, const Place& b, int axis_b) {
    demand(a.extents[axis_a] == b.extents[axis_b], "the extents of a product differ");
    const bool rows_a = a.rows_axis == axis_a;
    const bool rows_b = b.rows_axis == axis_b;
    demand(rows_a == rows_b || (rows_b && a.strides[axis_a] == 0) ||
               (rows_a && b.strides[axis_b] == 0),
           "the rows axes of a product differ");
  }

  void operator()(const ProductStep& step) const {
    const Place &a = step.a, &b = step.b, &out = step.out;
    const int rank = out.rank;
    demand(rank >= 2 && a.rank == rank && b.rank == rank,
           "a product takes and gives matrices of one rank");
    demand(is_float(out.dtype) && a.dtype == out.dtype && b.dtype == out.dtype,
           "a product takes and gives float32 or float64");
    for (int axis = 0; axis < rank - 2; ++axis) {
      verify_axis(a, axis, out, axis);
      verify_axis(b, axis, out, axis);
      demand((a.rows_axis != axis && b.rows_axis != axis) || out.rows_axis == axis,
             "the rows axes of a product differ");
    }
    demand(out.rows_axis != rank - 2 || a.rows_axis == rank - 2,
           "the rows axes of a product differ");
    demand(out.rows_axis != rank - 1 || b.rows_axis == rank - 1,
           "the rows axes of a product differ");
    verify_axis(a, rank - 2, out, rank - 2);
    verify_axis(b, rank - 1, out, rank - 1);
    verify_axis(a, rank - 1, b, rank - 2);
    verify_place(plan, a);
    verify_place(plan, b);
    verify_written(plan, out, true);
    demand(out.extents[rank - 1] <= 1 || out.strides[rank - 1] == item_size(out.dtype),
           "the columns of a product's result must be adjacent");
    if (step.bias) verify_bias(*step.bias, out);
  }

  void verify_bias(const Place& bias, const Place& out) const {
    demand(!is_total(plan, out), "a total has no bias");
    demand(same_extents(bias, out) && bias.dtype == out.dtype,
           "a bias has other extents or another dtype than its product");
    demand(bias.rows_axis < 0, "a bias has a rows axis");
    demand(out.rows_axis != out.rank - 1, "a bias along a rows axis");
    for (int axis = 0; axis < bias.rank - 1; ++axis)
      demand(bias.extents[axis] <= 1 || bias.strides[axis] == 0,
             "a bias must have stride 0 on all axes but the last");
    const int last = bias.rank - 1;
    demand(bias.extents[last] <= 1 || bias.strides[last] == item_size(bias.dtype),
           "the numbers of a bias must be adjacent");
    verify_place(plan, bias);
  }

  void operator()(const ReduceStep& step) const {
    const Place &in = step.in, &out = step.out;
    const bool is_argmax = step.opcode == Opcode::argmax;
    const bool is_sum = step.opcode == Opcode::sum;
    demand(is_sum || is_argmax || step.opcode == Opcode::max,
           "a reduction is sum, max or argmax");
    demand(is_number(in.dtype), "a reduction takes numbers");
    demand(out.dtype == (is_argmax ? Dtype::int32 : in.dtype),
           "the dtype of a reduction's result is wrong");
    int reduced = 0;
    int at = 0;
    for (int axis = 0; axis < in.rank; ++axis) {
      const bool gone = step.reduced[static_cast<std::size_t>(axis)];
      reduced += gone;
      demand(is_sum || !gone || in.extents[axis] > 0, "the maximum of no elements");
      if (gone && is_argmax) continue;
      demand(at < out.rank && out.extents[at] == (gone ? 1 : in.extents[axis]),
             "the extents of a reduction's result are wrong");
      const bool has_rows = !gone && in.rows_axis == axis;
      demand((out.rows_axis == at) == has_rows, "the rows axes of a reduction differ");
      ++at;
    }
    demand(at == out.rank, "the rank of a reduction's result is wrong");
    demand(!is_argmax || reduced == 1, "argmax takes one axis");
    verify_place(plan, in);
    verify_written(plan, out, is_sum);
  }

  void operator()(const CopyStep& step) const {
    demand(same_extents(step.in, step.out) && step.in.dtype == step.out.dtype,
           "a copy changes extents or dtype");
    const int rows = step.out.rows_axis;
    demand(step.in.rows_axis == rows ||
               (step.in.rows_axis < 0 && step.in.strides[rows] == 0),
           "the rows axes of a copy differ");
    verify_place(plan, step.in);
    verify_written(plan, step.out, true);
    demand(!is_total(plan, step.out) ||
               (is_contiguous(step.out) && is_number(step.out.dtype)),
           "a total that is copied to must be contiguous numbers");
  }

  void operator()(const ZeroStep& step) const { verify_written(plan, step.out, true); }

  // The result of take and what scatter_add adds: indices' extents, then the table's.
  void verify_rows_of_table(const Place& rows, const Place& indices,
                            const Place& table) const {
    demand(indices.dtype == Dtype::int32, "indices must be int32");
    demand(table.rank >= 1 && rows.dtype == table.dtype, "a table's dtype differs");
    demand(rows.rank == indices.rank + table.rank - 1, "a table's rank doesn't fit");
    for (int axis = 0; axis < rows.rank; ++axis)
      demand(rows.extents[axis] == (axis < indices.rank
                                        ? indices.extents[axis]
                                        : table.extents[axis - indices.rank + 1]),
             "a table's extents don't fit");
    demand(table.rows_axis < 0, "a table has a rows axis");
    demand(rows.rows_axis == indices.rows_axis, "the rows axes of a table differ");
  }

  void operator()(const TakeStep& step) const {
    verify_rows_of_table(step.out, step.indices, step.table);
    verify_place(plan, step.table);
    verify_place(plan, step.indices);
    verify_written(plan, step.out, false);
    Place row = step.table;
    row.extents[0] = 1;
    demand(is_contiguous(row), "the rows of a table must be contiguous");
  }

  void operator()(const ScatterAddStep& step) const {
    verify_rows_of_table(step.x, step.indices, step.out);
    demand(is_number(step.out.dtype), "scatter_add takes numbers");
    verify_place(plan, step.x);
    verify_place(plan, step.indices);
    verify_written(plan, step.out, true);
    demand(is_contiguous(step.out), "what scatter_add gives must be contiguous");
  }

  void operator()(const RandomBitsStep& step) const {
    verify_scalar(step.seed, Dtype::uint32, "a seed must be a uint32 scalar");
    verify_scalar(step.step, Dtype::int32, "a step must be an int32 scalar");
    verify_place(plan, step.seed);
    verify_place(plan, step.step);
    demand(step.out.dtype == Dtype::uint32 && is_contiguous(step.out),
           "random bits must be contiguous uint32");
    demand(step.out.rows_axis <= 0, "random bits can have rows only as first axis");
    verify_written(plan, step.out, false);
  }
};

}  // namespace

Dtype dtype_read(const MapStep& step, const MapLine& line) {
  const auto inputs = static_cast<int>(step.inputs.size());
  const int from = line.operand[static_cast<std::size_t>(line.operands - 1)];
  return from < inputs ? step.inputs[static_cast<std::size_t>(from)].dtype
                       : step.lines[static_cast<std::size_t>(from - inputs)].dtype;
}

void verify(Plan& plan, const Step& step, const Step* before) {
  std::visit(Verifier{plan, before}, step);
}

}  // namespace thalweg
