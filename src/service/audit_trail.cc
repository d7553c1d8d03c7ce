#include "service/audit_trail.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/command.pb.h"

namespace cc::service {
namespace {

const Logger kLog{"service"};

constexpr std::chrono::seconds kPatience{5};       // with the log, for one answer
constexpr std::chrono::seconds kFlushPatience{6};  // of flush(), a little longer
constexpr std::chrono::milliseconds kRetry{500};
constexpr std::size_t kLongestText = 1024;
static_assert(kLongestText > Limits{}.key(), "an attempt on a config names all of it");

std::string clean(std::string_view text) {
  return printable(text, kLongestText);
}

// Whether the log may take later what it does not take now. That a batch is too large for it cannot be: its records are
// bounded in number and size.
bool passes(Code code) {
  return code == Code::unavailable || code == Code::timeout || code == Code::exhausted;
}

void put(const AuditRecord& record, log::RecordAudit& into) {
  auto& one = *into.add_records();
  one.set_time_ms(record.time.time_since_epoch().count());
  one.set_actor(record.actor);
  one.set_address(record.address);
  one.set_request_id(record.request_id);
  one.set_action(record.action);
  one.set_target(record.target);
  one.set_outcome(record.outcome);
  one.set_message(record.message);
  one.set_count(record.count);
}

// What the records of a batch have in common of which one stands for all.
std::string refusal_of(const AuditRecord& record) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", record.actor, record.address, record.action, record.outcome, record.target);
}

}  // namespace

AuditTrail::AuditTrail(consensus::Log& log, const Clock& clock, std::chrono::milliseconds every, std::size_t at_most)
    : log_(log), clock_(clock), every_(every), at_most_(at_most), thread_([this] { run(); }) {}

AuditTrail::~AuditTrail() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void AuditTrail::record(AuditRecord record) {
  record.target = clean(record.target);
  record.message = clean(record.message);
  {
    const std::lock_guard lock(mutex_);
    if (record.action == "login") ++counts_.logins[record.outcome];
    if (record.outcome == to_string(Code::permission_denied)) ++counts_.denials;
    const bool refused = record.outcome != "done";
    if (refused) {
      const auto equal = batch_.refusals.find(refusal_of(record));
      if (equal != batch_.refusals.end()) {
        ++batch_.records[equal->second].count;
        return;
      }
    }
    if (batch_.records.size() >= at_most_) {
      ++batch_.dropped;
      return;
    }
    if (refused) batch_.refusals.emplace(refusal_of(record), batch_.records.size());
    batch_.records.push_back(std::move(record));
    if (batch_.records.size() > 1) return;  // whoever came first has woken the thread
  }
  changed_.notify_all();
}

AuditTrail::Counts AuditTrail::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void AuditTrail::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++asked_;
  changed_.notify_all();
  changed_.wait_for(lock, kFlushPatience, [&] { return answered_ >= mine; });
}

void AuditTrail::run() {
  std::unique_lock lock(mutex_);
  const auto hurried = [this] { return stopping_ || asked_ > answered_; };
  for (;;) {
    changed_.wait(lock, [&] { return hurried() || !batch_.records.empty(); });
    changed_.wait_for(lock, every_, hurried);
    const std::uint64_t served = asked_;
    const Batch batch = std::exchange(batch_, {});
    if (!batch.records.empty()) {
      const std::string request_id = random_id();
      const std::string command = encode(request_id, batch);
      for (bool first = true;; first = false) {
        lock.unlock();
        const Result<> taken = propose(command);
        lock.lock();
        if (taken) break;
        if (!passes(taken.error().code)) {
          kLog.error("audit records are lost: the log refuses them",
                     {{"records", batch.records.size() + batch.dropped}, {"reason", taken.error()}});
          break;
        }
        if (first) kLog.warn("audit records wait for the log", {{"reason", taken.error()}});
        if (stopping_) {
          kLog.error("audit records were lost: the log did not take them before the node stopped",
                     {{"records", batch.records.size() + batch.dropped}});
          break;
        }
        // What was asked to be flushed waits no longer than it must: the log is down.
        answered_ = asked_;
        changed_.notify_all();
        changed_.wait_for(lock, kRetry, [this] { return stopping_; });
      }
    }
    answered_ = std::max(answered_, served);
    changed_.notify_all();
    if (stopping_ && batch_.records.empty()) return;
  }
}

std::string AuditTrail::encode(const std::string& request_id, const Batch& batch) const {
  log::Command command;
  command.set_request_id(request_id);
  command.set_time_ms(clock_.wall().time_since_epoch().count());
  command.set_actor("system");
  log::RecordAudit& audit = *command.mutable_record_audit();
  for (const AuditRecord& record : batch.records)
    put(record, audit);
  if (batch.dropped > 0) {
    put({.time = clock_.wall(),
         .actor = "system",
         .request_id = request_id,
         .action = "audit.overflow",
         .outcome = "done",
         .message = fmt::format("… and {} more", batch.dropped)},
        audit);
  }
  return command.SerializeAsString();
}

Result<> AuditTrail::propose(const std::string& command) {
  const auto answer = std::make_shared<std::promise<Result<std::string>>>();
  auto answered = answer->get_future();
  log_.propose(command, kPatience, [answer](Result<std::string> result) { answer->set_value(std::move(result)); });
  if (answered.wait_for(kPatience) != std::future_status::ready) {
    return fail(Code::timeout, "the log does not answer");
  }
  TRY(const std::string bytes, answered.get());
  log::Outcome outcome;
  if (!outcome.ParseFromString(bytes) || outcome.code() != 0) {
    // Offering it again would change nothing.
    kLog.error("audit records were refused and are lost", {{"reason", outcome.message()}});
  }
  return {};
}

}  // namespace cc::service
