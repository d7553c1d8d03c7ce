// How much memory a check takes: counted here, in this test program, for whatever is allocated by `new`, and by
// pugixml. Not under the thread sanitizer, whose own `new` cannot be replaced.
#if !__has_feature(thread_sanitizer)
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include <gtest/gtest.h>
#include <malloc.h>
#include <pugixml.hpp>

#include "model/format_test.h"

namespace {

std::atomic<std::size_t> allocated = 0, peak = 0;

void* allocate(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) return nullptr;
  const std::size_t now = allocated += ::malloc_usable_size(memory);
  if (now > peak) peak = now;  // one thread allocates while it is read
  return memory;
}

void release(void* memory) {
  if (memory != nullptr) allocated -= ::malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}

namespace cc {
namespace {

constexpr std::size_t kMebibyte = 1024 * 1024;

// Up to a mebibyte of pieces, each told its number.
std::string pieces(const std::function<std::string(std::size_t)>& piece) {
  std::string all;
  for (std::size_t i = 0; all.size() < kMebibyte - 64; ++i)
    all += piece(i);
  return all;
}
std::string pieces(std::string_view piece) {
  return repeat(piece, (kMebibyte - 64) / piece.size());
}

struct Case {
  Format format;
  std::string_view name;
  std::string content;
};

std::vector<Case> cases() {
  const auto number = [](std::size_t i) { return std::to_string(i); };
  return {
      {Format::yaml, "unclosed on one line", pieces("[")},
      {Format::yaml, "unclosed, each on a line", pieces("[\n")},
      {Format::yaml, "unclosed mappings", pieces("{\n")},
      {Format::yaml, "unclosed, thousands on a line", pieces(repeat("[", 9'999) + "\n")},
      {Format::yaml, "unclosed behind comments that close", pieces("[ # ]\n")},
      {Format::yaml, "a long list", "[" + pieces("1,") + "1]"},
      {Format::yaml, "a long list of lists", "[" + pieces("[],") + "1]"},
      {Format::yaml, "a long list in a list", "[[" + pieces("1,") + "1]]"},
      {Format::yaml, "a long list in an item", "- a\n- [" + pieces("1,\n ") + "1]"},
      {Format::yaml, "a long mapping", "{" + pieces([&](std::size_t i) { return number(i) + ","; }) + "}"},
      {Format::yaml, "a long mapping of pairs", "{" + pieces([&](std::size_t i) { return number(i) + ": ,"; }) + "}"},
      {Format::yaml, "tags", pieces("!a ")},
      {Format::yaml, "anchors", pieces([&](std::size_t i) { return "- &" + number(i) + " x\n"; })},
      {Format::json, "keys", "{" + pieces([&](std::size_t i) { return "\"" + number(i) + "\":1,"; }) + "\"\":1}"},
      {Format::toml, "inline tables", "a=[" + pieces("{a=1},") + "]"},
      {Format::toml, "keys", pieces([&](std::size_t i) { return number(i) + "=1\n"; })},
      {Format::xml, "elements", "<r>" + pieces("<a/>x") + "</r>"},
      {Format::properties, "keys", pieces([&](std::size_t i) { return number(i) + "=\n"; })},
  };
}

TEST(FormatMemory, IsBoundedForAMebibyteOfAnything) {
  pugi::set_memory_management_functions(allocate, release);
  for (const Case& one : cases()) {
    const std::size_t before = allocated;
    peak = before;
    static_cast<void>(check_format(one.format, one.content));
    EXPECT_LE(peak - before, 80 * kMebibyte) << to_string(one.format) << ": " << one.name;
    EXPECT_LE(allocated - std::min<std::size_t>(allocated, before), kMebibyte) << "it is given back";
  }
  pugi::set_memory_management_functions(std::malloc, std::free);
}

}  // namespace
}  // namespace cc
#endif
