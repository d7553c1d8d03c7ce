// Putting a rendered file on its host: validated by its own program first, noticed when somebody changed it by hand,
// and what was there before is kept.
#pragma once

#include "deploy/rendering.h"
#include "deploy/secrets.h"
#include "deploy/step.h"

namespace cc::deploy {

// `masked`: nothing of it is shown in the difference that the check prints. `overwrite`: also what was changed by hand.
Step file_step(const std::string& host, const RenderedFile& file, const Secrets& secrets, const Run& run,
               bool overwrite);

// For sed: makes what stands in the place of a secret unreadable, in the new content and in an older one, of which the
// secrets are not known.
std::string masking(const RenderedFile& file, const Secrets& secrets);

}  // namespace cc::deploy
