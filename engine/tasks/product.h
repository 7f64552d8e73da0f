// Matrix products, with the map that follows one panel of rows after the other.
#pragma once

#include <optional>

#include "tasks/gather.h"
#include "tasks/map.h"
#include "tasks/task.h"

namespace thalweg {

class ProductTask final : public Task {
 public:
  ProductTask(const Circumstances& circumstances, const ProductStep& step);

  // Whether a map over what this gives can be run with it.
  bool takes_tail() const;
  void take_tail(std::unique_ptr<MapTask> tail);

  // In a loop in which b stands still: packs b once, for all turns, at an offset of what
  // the loop has room for. Returns how many bytes that takes; 0 if it isn't worth it.
  std::size_t pack_at(std::size_t offset);
  void pack(const Frame& frame) const;

  bool run(const Frame& frame, std::byte* scratch, Index from, Index to) const override;

 private:
  struct Side {
    int buffer;
    Index offset;
    Extents strides;  // over the matrices
  };

  void run_matrices(const Frame& frame, std::byte* scratch, Index from, Index to) const;
  void run_panels(const Frame& frame, std::byte* scratch, Index from, Index to) const;
  Product part(const Frame& frame, std::byte* scratch, const Extents& matrix) const;
  void count_units();
  void choose_box();
  void take_box();
  void run_boxes(const Frame& frame, std::byte* scratch, Index from, Index to) const;
  void run_product(const Product& product) const;
  void run_gathered(Product& panel, Index row, std::byte* box) const;
  bool spread(const Product& panel, Index row, std::byte* box) const;
  void run_added(Product& panel, Index row, std::byte* box) const;
  Index lay_lines(Index row, Product& product) const;
  void gather(const Product& whole, Index row, Index count, std::byte* box) const;
  void add(const Product& whole, Index row, Index count, const std::byte* box) const;
  std::size_t scratch_of(Index rows, Index columns) const;
  void choose_packing();
  void take_packed();

  const Kernels* kernels_;
  Product product_{};
  Side a_, b_, out_, bias_{};
  bool has_bias_, adds_;
  int matrices_rank_ = 0;
  Extents matrices_{};
  Index matrix_count_ = 1;
  Index tile_rows_ = 1, tile_columns_ = 1;
  bool by_columns_ = false;
  Index panel_rows_ = 0;
  std::size_t product_scratch_ = 0;
  std::optional<std::size_t> packed_at_;  // in what a loop has packed
  bool packs_ = false;                    // b, before all rows of a piece
  std::size_t pack_offset_ = 0;           // of that, in scratch
  // Whether a is gathered, or c added to what lies apart. Both are done in boxes.
  enum class Form { matrices, gathered, added } form_ = Form::matrices;
  Gather windows_;
  std::vector<Index> columns_at_;  // where rows' numbers lie, if they are read in place
  std::vector<Index> segments_;    // the same of what is added to windows
  Index parts_ = 1;                // of rows that c may be cut between, where it is added
  std::size_t box_offset_ = 0;     // in scratch
  std::unique_ptr<MapTask> tail_;
};

}  // namespace thalweg
