// What other threads have for an I/O thread. However many messages come together, they wake it once.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace cc {

template <class Message>
class Inbox {
 public:
  // `take` runs on the I/O thread, for each message in the order of put(). requires: the io_context no longer runs when
  // the inbox dies
  Inbox(boost::asio::io_context& io, std::function<void(Message)> take) : io_(io), take_(std::move(take)) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  void put(Message message) {  // any thread
    {
      const std::lock_guard lock(mutex_);
      messages_.push_back(std::move(message));
      if (messages_.size() > 1) return;  // whoever was first has seen to it
    }
    boost::asio::post(io_, [this] { take_all(); });
  }

 private:
  void take_all() {
    std::vector<Message> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(messages_);
    }
    for (Message& message : taken)
      take_(std::move(message));
  }

  boost::asio::io_context& io_;
  std::function<void(Message)> take_;
  std::mutex mutex_;
  std::vector<Message> messages_;  // guarded by mutex_
};

}  // namespace cc
