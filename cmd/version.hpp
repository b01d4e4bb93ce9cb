#pragma once

#include <string>

namespace keel::cmd {

/// Version and commit, as files remember who wrote them.
std::string producer();

}  // namespace keel::cmd
