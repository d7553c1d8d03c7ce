// What was: history, old releases, audit records. Asked of the archive where there is one, together with the node's own
// state, else of that alone.
//
//   CO_TRY(auto page, co_await ask_past(context, call, Work::question,
//                                       [&](const Past& past) { return past.history(key, page); }));
#pragma once

#include <utility>

#include "archive/archive.h"
#include "service/on_worker.h"

namespace cc::service {

using archive::Answer;

class Past {
 public:
  // What it is given outlives it. `archive` may be null.
  Past(const state::Queries& here, archive::Archive* archive, const Deadline& until)
      : here_(here), archive_(archive), until_(until) {}

  // As state::Queries answers.
  Result<Answer<state::Page<ReleaseInfo>>> history(const ConfigKey& key, const state::PageRequest& page) const;
  Result<Answer<ReleasePtr>> release(const ConfigKey& key, Version version) const;
  Result<Answer<state::Page<AuditRecord>>> audit(const state::AuditFilter& filter,
                                                 const state::PageRequest& page) const;

  const state::Queries& here() const { return here_; }

 private:
  const state::Queries& here_;
  archive::Archive* archive_;
  const Deadline& until_;
};

// `kind`: of work, as long as the node answers alone. A database that is slow does not hold up what the node knows
// itself.
template <class Question>
Task<std::invoke_result_t<Question&, const Past&>> ask_past(Context& context, const Call& call, Work kind,
                                                            Question question) {
  const Work work = context.archive != nullptr ? Work::archived : kind;
  co_return co_await on_worker(context, call, work, [&](const Deadline& until) {
    const state::Queries here = context.queries.until(until);
    return question(Past(here, context.archive, until));
  });
}

}  // namespace cc::service
