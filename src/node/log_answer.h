// What a leader's job has asked of the log, and waits for.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/result.h"

namespace cc::node {

// As long as somebody waits for it: it may come later.
template <class T>
class LogAnswer {
 public:
  auto taker() {  // what the log is given
    return [shared = shared_](Result<T> answer) {
      {
        const std::lock_guard lock(shared->mutex);
        shared->answer = std::move(answer);
      }
      shared->there.notify_all();
    };
  }
  Result<T> get(const std::stop_token& stop) {
    std::unique_lock lock(shared_->mutex);
    if (!shared_->there.wait(lock, stop, [&] { return shared_->answer.has_value(); }))
      return fail(Code::unavailable, "this node no longer leads its group");
    return *std::move(shared_->answer);
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable_any there;
    std::optional<Result<T>> answer;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace cc::node
