// Drafts: edited content that no client sees yet. Their format is checked when they are published.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "model/words.h"
#include "service/context.h"
#include "state/queries.h"

namespace cc::service {

struct NewDraft {
  ConfigKey key;
  std::string content;
  std::optional<Format> format;      // absent: the draft's own, the config's, then the name's
  std::optional<Revision> expected;  // of the draft; 0: there is none
};

struct SavedDraft {
  std::string key, md5;
  Revision revision = 0;
  bool repeated = false;
};

Task<Result<Draft>> read_draft(Context& context, const Call& call, const ConfigKey& key);
Task<Result<SavedDraft>> save_draft(Context& context, const Call& call, NewDraft draft);
Task<Result<SavedDraft>> discard_draft(Context& context, const Call& call, const ConfigKey& key);
// Without content; shows only what the caller may see.
Task<Result<state::Page<Draft>>> list_drafts(Context& context, const Call& call, state::ConfigFilter filter,
                                             state::PageRequest page);

}  // namespace cc::service
