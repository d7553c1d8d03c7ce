#include "service/group.h"

#include <utility>

namespace cc::service {
namespace {

class GroupOfLog final : public Group {
 public:
  explicit GroupOfLog(consensus::Log& log) : log_(log) {}

  bool stale() const noexcept override { return log_.stale(); }
  consensus::Status status() const override { return log_.status(); }
  void read_barrier(consensus::Log::Patience patience, consensus::Log::Then then) override {
    log_.read_barrier(patience, std::move(then));
  }
  void change(consensus::Change change, consensus::Log::Patience patience, consensus::Log::Then then) override {
    log_.change(std::move(change), patience, std::move(then));
  }

 private:
  consensus::Log& log_;
};

}  // namespace

std::unique_ptr<Group> group_of(consensus::Log& log) {
  return std::make_unique<GroupOfLog>(log);
}

bool takes_changes(const consensus::Status& status) {
  return status.role != consensus::Role::unavailable && status.leader_id != 0 && !status.stale &&
         status.trouble.empty();
}

}  // namespace cc::service
