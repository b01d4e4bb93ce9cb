#pragma once

#include <string>

namespace keel::cmd {

/// Version and commit, as files remember who wrote them.
std::string producer();

/// `vX.Y.Z`
std::string version();
/// First 8 hex digits of the commit; none: not known.
std::string commit_digits();

/// What web3_clientVersion says: `keel/vX.Y.Z-commit8/linux-amd64/gcc12`.
std::string client_version();

}  // namespace keel::cmd
