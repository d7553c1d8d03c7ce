// One connection for messages, from the moment that both have introduced themselves: what the dialer sends, and what
// either says of the connection itself. Belongs to the network's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "base/task.h"
#include "consensus/outboxes.h"
#include "consensus/secure_channel.h"

namespace cc::consensus {

class Conversation {
 public:
  class Owner {
   public:
    virtual void received(Conversation& conversation, std::string message) = 0;
    // The other introduced itself anew. An error: it is not talked to any more, and is told that.
    virtual Result<> introduced(Conversation& conversation) = 0;
    // The other ends the conversation, and says why.
    virtual void refused(Conversation& conversation, const Error& why) = 0;

   protected:
    ~Owner() = default;
  };

  // `outbox` is null for an acceptor. `said`: how this node has introduced itself.
  Conversation(asio::io_context& io, std::unique_ptr<SecureChannel> channel, Introduction said, Owner& owner,
               Outboxes& outboxes, std::shared_ptr<Outboxes::Outbox> outbox);

  // Both run side by side, until the conversation ends.
  static Task<> listen(std::shared_ptr<Conversation> self);
  static Task<> speak(std::shared_ptr<Conversation> self);

  void wake();                               // there is something in the outbox
  void introduce(const Introduction& self);  // when it is not what was said last
  void ping();
  void refuse(const Error& why);  // says so, then ends
  void end();                     // nothing is received afterwards
  // Looked twice, since after a pause of this process what came meanwhile has not been read yet.
  void end_if_silent_for(std::chrono::milliseconds longest, Mono now);

  const Introduction& other() { return channel_->other(); }
  NodeId node() { return other().greeting.node; }
  Mono heard() const { return channel_->heard(); }
  bool ended() const { return ended_; }
  bool was_refused() const { return was_refused_; }  // by either
  const std::string& why() const { return why_; }    // it ended by itself, as half a sentence

 private:
  Result<> take(Record record);
  Task<Result<>> send(std::vector<std::string>& messages);
  void seal(std::string_view bytes);
  Task<Result<>> write();
  void say(RecordType type, std::string_view content);
  void end(const Error& why);

  std::unique_ptr<SecureChannel> channel_;
  std::string said_;
  Owner& owner_;
  Outboxes& outboxes_;
  const std::shared_ptr<Outboxes::Outbox> outbox_;
  asio::steady_timer something_to_say_;             // cancelled when there is
  std::string to_say_;                              // records that go before the next message
  std::string piece_, sealed_;                      // on its way out
  std::size_t sent_bytes_ = 0, sent_messages_ = 0;  // in sealed_, of the outbox
  std::string why_;
  bool silent_ = false;
  bool refusing_ = false, was_refused_ = false, ended_ = false;
};

}  // namespace cc::consensus
