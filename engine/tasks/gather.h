// An array whose first axes are the rows of a matrix and whose others are its columns,
// though no strides of a matrix say so: windows of an image.
//
// Of x = (1, 2, 3, 4) the windows of size 3 are the matrix
//
//   1 2 3
//   2 3 4
//
// over four numbers. A product reads a *box* of it at a time: rows of one line, the last of
// the axes of rows, or some whole lines. It reads it where it lies, by the list of the
// columns' places, or copied to where it is a matrix.
#pragma once

#include <vector>

#include "core/plan.h"
#include "kernels/kernels.h"

namespace thalweg {

class Gather {
 public:
  Gather() = default;

  // The array's axes from `first` to `first + row_axes` are its rows, all others, in
  // their order, its columns.
  Gather(const Place& place, int first, int row_axes);

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }

  // Whether columns are nearer to each other than rows are, so that they had better stay
  // adjacent when copied.
  bool has_near_columns() const { return near_columns_; }

  // How many rows a box has that begins at `row`, up to `most`.
  Index box_rows(Index row, Index most) const;

  // Where each column lies, from its row's start: in elements.
  std::vector<Index> columns_at() const;

  // The box as rows of a product that reads it where it lies, but for a_at; `a`, moved by
  // as many bytes as `offset` says, is still missing.
  void lay_lines(Index row, Index count, Product& product, Index& offset) const;

  // Whether the lines are long enough for that, where so many columns are made of them.
  bool has_lines_for(Index columns) const;

  // How many bytes the first number of a row lies behind the array's.
  Index offset_of(Index row) const;

  // Where the rows of a box begin, and the runs of adjacent columns of each: in elements.
  void starts(Index row, Index count, Index* at) const;
  std::vector<Index> segments() const;
  Index run() const;

  // The box as a copy from the array to a matrix with these strides in bytes; pointers
  // are still missing, but `in` is moved by as many bytes as `offset` says.
  Copy box(Index row, Index count, Index row_bytes, Index column_bytes,
           Index& offset) const;

 private:
  int item_ = 0;
  int row_rank_ = 0, column_rank_ = 0;
  Extents row_extents_{}, row_strides_{}, column_extents_{}, column_strides_{};
  Index rows_ = 1, columns_ = 1, line_ = 1, lines_ = 1;
  bool near_columns_ = true;
};

}  // namespace thalweg
