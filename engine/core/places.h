// Every place that a step reads, and every place that it writes; a loop's are all those of
// its steps.
#pragma once

#include <type_traits>

#include "core/plan.h"

namespace thalweg {

template <class Visit>
void visit_inputs(const Step& step, const Visit& visit) {
  struct Places {
    const Visit& visit;
    void operator()(const MapStep& map) const {
      for (const Place& place : map.inputs) visit(place);
    }
    void operator()(const ProductStep& product) const {
      visit(product.a), visit(product.b);
      if (product.bias) visit(*product.bias);
      if (product.out_row_axes) visit(product.out);
    }
    void operator()(const ReduceStep& reduce) const { visit(reduce.in); }
    void operator()(const CopyStep& copy) const { visit(copy.in); }
    void operator()(const ZeroStep&) const {}
    void operator()(const ShareStep& share) const { visit(share.in), visit(share.part); }
    void operator()(const AddStep& add) const { visit(add.in), visit(add.out); }
    void operator()(const IndexStep& index) const { visit(index.in), visit(index.indices); }
    void operator()(const LoopStep& loop) const {
      visit(loop.turns);
      for (const Step& each : loop.body->steps) visit_inputs(each, visit);
    }
    void operator()(const RandomBitsStep& bits) const {
      visit(bits.seed), visit(bits.step);
    }
  };
  std::visit(Places{visit}, step);
}

template <class Visit>
void visit_outputs(const Step& step, const Visit& visit) {
  const auto each = [&](const auto& any) {
    using Any = std::remove_cvref_t<decltype(any)>;
    if constexpr (std::is_same_v<Any, MapStep>)
      for (const MapOutput& output : any.outputs) visit(output.place);
    else if constexpr (std::is_same_v<Any, LoopStep>)
      for (const Step& each : any.body->steps) visit_outputs(each, visit);
    else
      visit(any.out);
  };
  std::visit(each, step);
}

}  // namespace thalweg
