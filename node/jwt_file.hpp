#pragma once

// The secret that the Engine API's port and the consensus client share, in a file.

#include <filesystem>

#include "core/files.hpp"
#include "rpc/jwt.hpp"

namespace keel::node {

/// Name in the data directory, where no other file is named.
inline constexpr const char* kJwtFileName = "jwt.hex";

/// Reads the secret; a file that is missing is made with a new one, for its owner alone. Throws
/// Fault::Usage when it cannot be read, or has no 32 bytes of hex.
rpc::JwtSecret load_jwt_secret(core::FileSystem& files, const std::filesystem::path& path);

}  // namespace keel::node
