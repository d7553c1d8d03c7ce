// What nodes of a group say to each other by Raft, and how it is encoded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "consensus/entry.h"

namespace cc::consensus {

struct Message {
  enum class Kind : std::uint8_t {
    vote_request = 1,   // index, index_term: the candidate's last entry; pre; urgent
    vote_reply,         // pre; yes
    append,             // index, index_term: what the entries come after; commit; round; entries
    append_reply,       // yes, index: the log is the leader's up to here, on disk.
                        // no, index: it can only be up to here; commit: what was not found. round
    install,            // snapshot, reference
    lead_now,           // index: the leader's last entry
    admission_request,  // of a node with an empty folder; round: a number of its own
    admission,          // what it may take part from; round: the same number
  };
  Kind kind = Kind::append;
  Term term = 0;
  bool pre = false;     // asks who would be voted for, and changes nothing
  bool urgent = false;  // the leader wants it: it is no reason to refuse that there is one
  bool yes = false;
  Index index = 0;
  Term index_term = 0;
  Index commit = 0;
  std::uint64_t round = 0;
  std::vector<Entry> entries;
  SnapshotPoint snapshot;
  std::string reference;  // to the snapshot: SnapshotReference::encode()

  std::string encode(std::string_view before = {}) const;  // behind `before`
  // corruption when it is not what encode() made. The entries share `bytes`.
  static Result<Message> decode(std::shared_ptr<const std::string> bytes, std::size_t from = 0);
};

// corruption: what a node says to another, in a message or else, is none of what there is.
std::unexpected<Error> not_understood();

}  // namespace cc::consensus
