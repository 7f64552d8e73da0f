// Memory of the engine: aligned for any vector, zero at first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace thalweg {

inline constexpr std::size_t ALIGNMENT = 64;

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

class Memory {
 public:
  Memory() = default;

  // Pages are taken only when they are first written. Throws std::bad_alloc.
  explicit Memory(std::size_t bytes)
      : size_(bytes), room_(std::calloc(1, bytes + ALIGNMENT)) {
    if (!room_) throw std::bad_alloc();
    const auto start = reinterpret_cast<std::uintptr_t>(room_.get());
    data_ = reinterpret_cast<std::byte*>(aligned(start));
  }

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(void* room) const { std::free(room); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<void, Free> room_;
  std::byte* data_ = nullptr;
};

}  // namespace thalweg
