#include "service/past.h"

namespace cc::service {
Result<Answer<state::Page<ReleaseInfo>>> Past::history(const ConfigKey& key, const state::PageRequest& page) const {
  return archive_ != nullptr ? archive_->history(here_, key, page, until_)
                             : archive::from_here(here_.history(key, page));
}

Result<Answer<ReleasePtr>> Past::release(const ConfigKey& key, Version version) const {
  return archive_ != nullptr ? archive_->release(here_, key, version, until_)
                             : archive::from_here(here_.release(key, version));
}

Result<Answer<state::Page<AuditRecord>>> Past::audit(const state::AuditFilter& filter,
                                                     const state::PageRequest& page) const {
  return archive_ != nullptr ? archive_->audit(here_, filter, page, until_)
                             : archive::from_here(here_.audit(filter, page));
}

}  // namespace cc::service
