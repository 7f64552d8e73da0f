// The rules of steps: types and extents that fit, rows that agree.
#include "core/verify.h"

namespace thalweg {

namespace {

void verify_scalar(const Place& place, Dtype dtype, const char* rule) {
  demand(place.rank == 0 && place.dtype == dtype, rule);
}

struct Verifier {
  Plan& plan;
  const Step* before;

  void operator()(const MapStep& step) const { verify_map(plan, step, before); }

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

  // The axes from … to of a place and one of another are of one size, with rows first in
  // the ones where they are in the other.
  static void verify_run(const Place& place, int from, int to, const Place& matrix,
                         int axis) {
    Index size = 1;
    for (int i = from; i < to; ++i) size *= place.extents[i];
    demand(size == matrix.extents[axis], "the extents of a product differ");
    const bool has_rows = place.rows_axis == from;
    demand(has_rows == (matrix.rows_axis == axis), "the rows axes of a product differ");
    for (int i = from + 1; i < to; ++i)
      demand(place.rows_axis != i, "rows are the first axis of those that go together");
  }

  // a has rows and columns of several axes each; the others are matrices.
  void verify_gathered(const ProductStep& step) const {
    const Place &a = step.a, &b = step.b, &out = step.out;
    demand(a.rank > step.row_axes && out.rank == 2 && b.rank == 2,
           "a product of windows takes and gives a matrix");
    verify_run(a, 0, step.row_axes, out, 0);
    verify_run(a, step.row_axes, a.rank, b, 0);
    verify_axis(b, 1, out, 1);
    demand(out.rows_axis != 1 && b.rows_axis != 1, "the rows axes of a product differ");
    verify_written(plan, out, true);
    demand(out.extents[1] <= 1 || out.strides[1] == item_size(out.dtype),
           "the columns of a product's result must be adjacent");
    demand(!step.bias || a.rows_axis != step.row_axes, "a sum over rows has no bias");
    if (step.bias) verify_bias(*step.bias, out);
  }

  // What is given is added to elements that may lie on each other, but for different rows.
  void verify_added(const ProductStep& step) const {
    const Place &a = step.a, &b = step.b, &out = step.out;
    demand(a.rank == 2 && b.rank == 2 && out.rank > step.out_row_axes && !step.bias,
           "a product that is added to windows is one of matrices without a bias");
    verify_run(out, 0, step.out_row_axes, a, 0);
    verify_run(out, step.out_row_axes, out.rank, b, 1);
    verify_axis(a, 1, b, 0);
    demand(a.rows_axis <= 0 && b.rows_axis < 0, "the rows axes of a product differ");
    verify_added_to(out);
  }

  void verify_added_to(const Place& out) const {
    Buffer& buffer = plan.buffers[static_cast<std::size_t>(out.origin)];
    demand(buffer.kind != BufferKind::constant, "a constant is written");
    demand(buffer.kind != BufferKind::total, "this step can't write a total");
    verify_place(plan, out);
    demand(out.rows_axis < 0 || is_empty(out) ||
               out.strides[out.rows_axis] >= reach(out, out.rows_axis),
           "rows that are added to lie on each other");
    buffer.written = true;
  }

  void operator()(const ProductStep& step) const {
    const Place &a = step.a, &b = step.b, &out = step.out;
    if (step.row_axes || step.out_row_axes) {
      demand(is_float(out.dtype) && a.dtype == out.dtype && b.dtype == out.dtype,
             "a product takes and gives float32 or float64");
      step.row_axes ? verify_gathered(step) : verify_added(step);
      verify_place(plan, a);
      verify_place(plan, b);
      verify_apart(out, a);
      verify_apart(out, b);
      return;
    }
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
    verify_apart(out, a);
    verify_apart(out, b);
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
    verify_apart(out, bias);
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
    verify_apart(out, in);
  }

  void operator()(const ShareStep& step) const {
    const Place &in = step.in, &part = step.part, &out = step.out;
    demand(is_float(in.dtype) && part.dtype == in.dtype && out.dtype == in.dtype,
           "shares are float32 or float64");
    const int rows = in.rows_axis;
    demand(same_extents(in, out) && part.rank == in.rank && rows == out.rows_axis &&
               (part.rows_axis == rows || (part.rows_axis < 0 && part.strides[rows] == 0)),
           "the places of shares have other extents or rows");
    for (int axis = 0; axis < in.rank; ++axis) {
      const bool shared = step.shared[static_cast<std::size_t>(axis)];
      demand(part.extents[axis] == (shared ? 1 : in.extents[axis]),
             "the extents of a part are wrong");
      demand(!shared || axis != in.rows_axis, "rows share nothing");
    }
    verify_place(plan, in);
    verify_place(plan, part);
    verify_written(plan, out, false);
    verify_apart(out, in);
    verify_apart(out, part);
  }

  void operator()(const AddStep& step) const {
    demand(same_extents(step.in, step.out) && step.in.dtype == step.out.dtype &&
               step.in.rows_axis == step.out.rows_axis && is_number(step.in.dtype),
           "what is added has other extents, rows or another dtype");
    verify_place(plan, step.in);
    verify_added_to(step.out);
    verify_apart(step.out, step.in);
  }

  void operator()(const CopyStep& step) const {
    demand(same_extents(step.in, step.out) && step.in.dtype == step.out.dtype,
           "a copy changes extents or dtype");
    const int rows = step.out.rows_axis;
    demand(
        step.in.rows_axis == rows || (step.in.rows_axis < 0 && step.in.strides[rows] == 0),
        "the rows axes of a copy differ");
    verify_read(plan, step.in);
    verify_written(plan, step.out, true);
    verify_apart(step.out, step.in);
    demand(!is_total(plan, step.out) || is_contiguous(step.out),
           "a total that is copied to must be contiguous");
  }

  void operator()(const ZeroStep& step) const { verify_written(plan, step.out, true); }

  // Rows that are taken or added: the indices' extents, then the table's.
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

  void operator()(const IndexStep& step) const {
    verify_rows_of_table(step.rows(), step.indices, step.table());
    demand(step.takes() || is_number(step.out.dtype),
           "rows that are added must be numbers");
    verify_place(plan, step.in);
    verify_place(plan, step.indices);
    verify_written(plan, step.out, !step.takes());
    verify_apart(step.out, step.in);
    verify_apart(step.out, step.indices);
    if (step.takes()) {
      Place row = step.in;
      row.extents[0] = 1;
      demand(is_contiguous(row), "the rows of a table must be contiguous");
    } else {
      demand(is_contiguous(step.out), "a table that is added to must be contiguous");
    }
  }

  // Its own steps were verified as they were read.
  void operator()(const LoopStep& step) const {
    verify_scalar(step.turns, Dtype::int32, "the turns of a loop must be an int32 scalar");
    verify_place(plan, step.turns);
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
    verify_apart(step.out, step.seed);
    verify_apart(step.out, step.step);
  }
};

}  // namespace

void verify(Plan& plan, const Step& step, const Step* before) {
  std::visit(Verifier{plan, before}, step);
}

}  // namespace thalweg
