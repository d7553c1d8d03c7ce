// A storage with a loop of its own, for as long as a call takes: of a node that is stopped.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "consensus/log.h"
#include "consensus/storage.h"

namespace cc::consensus {

class StorageForNow final : Storage::Owner {
 public:
  explicit StorageForNow(const Folder& folder) : storage_(loop_, folder, *this) {}
  Result<> open(const Options& options) {
    if (const int error = uv_loop_init(&loop_); error != 0)
      return fail(Code::unavailable, fmt::format("cannot open the log: {}", uv_strerror(error)));
    made_ = true;
    return storage_.open(options.node_id, options.address);
  }
  ~StorageForNow() override {
    if (!made_) return;
    storage_.close();
    while (!closed_) {
      uv_run(&loop_, UV_RUN_NOWAIT);
      storage_.check();
    }
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  Storage& operator*() { return storage_; }

  // Storage::put_snapshot() of one that begins a log, and waits.
  Result<> put_first_snapshot(const SnapshotPoint& point, std::string reference) {
    TRYV(storage_.put_snapshot(point, std::move(reference), 0));
    while (!put_)
      uv_run(&loop_, UV_RUN_ONCE);
    return *put_;
  }

 private:
  void appended(Result<>, std::chrono::nanoseconds) override {}
  void snapshot_put(Result<> how) override { put_ = std::move(how); }
  void storage_closed() override { closed_ = true; }

  uv_loop_t loop_{};
  Storage storage_;
  std::optional<Result<>> put_;
  bool made_ = false, closed_ = false;
};

}  // namespace cc::consensus
