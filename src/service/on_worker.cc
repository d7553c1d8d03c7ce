#include "service/on_worker.h"

namespace cc::service {
namespace {

// Of each kind and I/O thread. What waits holds memory: a question some hundred bytes, a document its content.
constexpr std::array<unsigned, kKindsOfWork> kMost{256, 32, 64, 32, 64};

}  // namespace

Result<Place> Place::take(Context& context, Work kind) {
  const auto index = static_cast<std::size_t>(kind);
  return take(context.working[index], kMost[index]);
}

Result<Place> Place::take(unsigned& taken, unsigned most) {
  if (taken < most) return Place(taken);
  return fail(Code::exhausted, "the node has too much of this kind to do; nothing was done: try again in a second",
              R"({"retry_after_seconds":1})");
}

Error came_too_late() {
  return {Code::timeout, "the time limit of the request passed before it could be begun; nothing was done: try again"};
}

Error out_of_memory() {
  return {Code::exhausted, "not enough memory for this; nothing was done: try again later, or with less"};
}

}  // namespace cc::service
