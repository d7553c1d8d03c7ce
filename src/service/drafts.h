// Drafts: edited content that no client sees yet. They may be unfinished: whoever saves one is told what is wrong with
// it, and it is refused when it is published.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "model/words.h"
#include "service/context.h"
#include "service/expected.h"
#include "state/queries.h"

namespace cc::service {

struct NewDraft {
  ConfigKey key;
  std::string content;
  std::optional<Format> format;      // absent: the draft's own, the config's, then the name's
  std::optional<Expected> expected;  // of the draft
};

struct SavedDraft {
  std::string key, md5;
  Revision revision = 0;
  bool repeated = false;
  std::optional<Error> problem;  // why it cannot be published as it is; none of a draft that was discarded
};

Task<Result<Draft>> read_draft(Context& context, const Call& call, const ConfigKey& key);
Task<Result<SavedDraft>> save_draft(Context& context, const Call& call, NewDraft draft);
Task<Result<SavedDraft>> discard_draft(Context& context, const Call& call, const ConfigKey& key);
// Without content; shows only what the caller may see.
Task<Result<state::Page<Draft>>> list_drafts(Context& context, const Call& call, state::ConfigFilter filter,
                                             state::PageRequest page);

}  // namespace cc::service
