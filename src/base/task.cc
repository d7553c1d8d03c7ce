#include "base/task.h"

#include <exception>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "base/log.h"

namespace cc {
namespace {

const Logger kLog{"task"};

// "" when the task was cancelled, which is no fault.
std::string reason(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted ? "" : e.what();
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(executor), empty_(executor, asio::steady_timer::time_point::max()) {}

TaskGroup::~TaskGroup() = default;

void TaskGroup::spawn(std::string_view name, Task<> task) {
  const auto signal = tasks_.emplace(tasks_.end());
  asio::co_spawn(
      executor_, std::move(task),
      asio::bind_cancellation_slot(signal->slot(), [this, signal, name](const std::exception_ptr& exception) {
        const std::string why = exception ? reason(exception) : "";
        if (!why.empty()) kLog.error("a task ended with an exception", {{"task", name}, {"reason", why}});
        tasks_.erase(signal);
        if (tasks_.empty()) empty_.cancel();
      }));
}

void TaskGroup::cancel() {
  // A cancelled task may end, and leave the list, while it is being told.
  for (auto at = tasks_.begin(); at != tasks_.end();)
    (at++)->emit(asio::cancellation_type::terminal);
}

Task<> TaskGroup::join() {
  while (!tasks_.empty()) {
    boost::system::error_code ignored;
    co_await empty_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace cc
