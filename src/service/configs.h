// Configs: read, publish, delete, list.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "model/words.h"
#include "service/context.h"
#include "service/expected.h"
#include "service/past.h"
#include "state/queries.h"

namespace cc::service {

// What a commit made of one config.
struct Published {
  std::string key;
  Version version = 0;
  Revision revision = 0;
  std::string md5, sha256;
  bool unchanged = false;  // left alone, since it was so already (import)
};

struct Change {
  std::vector<Published> published;
  Revision revision = 0;
  bool created = false;   // the first release of a config
  bool repeated = false;  // the outcome of an earlier request with this id
};

struct NewRelease {
  ConfigKey key;
  std::string content;
  std::optional<Format> format;  // absent: the config's own, then the name's
  std::optional<bool> secret;    // absent: as the config is, also when it was deleted in between
  std::string comment;
  std::optional<Expected> expected;
};

struct DraftToPublish {
  ConfigKey key;
  std::optional<bool> secret;  // as above
  std::string comment;
  std::optional<Expected> expected;  // of the config
  std::optional<Expected> expected_draft;
};

// The published content or tombstone in this thread's memory; null when there never was such a config.
Result<ReleasePtr> read_config(Context& context, const Call& call, const ConfigKey& key);
// not_found when there is no such release.
Task<Result<Answer<ReleasePtr>>> read_release(Context& context, const Call& call, const ConfigKey& key,
                                              Version version);

Task<Result<Change>> publish(Context& context, const Call& call, NewRelease release);
// The draft's content and format, which are checked now; the draft is gone afterwards. conflict when somebody saved
// the draft in between, or when it is not the one that the publisher has looked at.
Task<Result<Change>> publish_draft(Context& context, const Call& call, DraftToPublish draft);
Task<Result<Change>> delete_config(Context& context, const Call& call, const ConfigKey& key, std::string comment,
                                   std::optional<Expected> expected);

// Shows only what the caller may read.
Task<Result<state::Page<ReleaseInfo>>> list_configs(Context& context, const Call& call, state::ConfigFilter filter,
                                                    state::PageRequest page);

// What a list may show to the caller; for Queries, on any thread.
state::Visible visible_to(const Call& call, Permission permission);

}  // namespace cc::service
