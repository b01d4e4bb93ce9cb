#include "node/jwt_file.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/fault.hpp"
#include "core/hex.hpp"
#include "core/random.hpp"
#include "node/logging.hpp"

namespace keel::node {
namespace {

constexpr uint64_t kFileBytesMax = 4096;

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
    throw core::Fault(core::FaultKind::Usage,
                      fmt::format("--authrpc.jwtsecret {}: {}", path.string(), reason));
}

rpc::JwtSecret make_secret(core::FileSystem& files, const std::filesystem::path& path) {
    const rpc::JwtSecret secret = core::random_bytes<rpc::kJwtSecretBytes>();
    core::File file(files, path, core::OpenMode::CreateSecret, false);
    file.write_at(core::to_hex_prefixed(secret), 0);
    file.sync();
    spdlog::info("jwt_secret_made file={}", log_value(path.string()));
    return secret;
}

}  // namespace

rpc::JwtSecret load_jwt_secret(core::FileSystem& files, const std::filesystem::path& path) {
    try {
        if (!core::file_info(files, path)) return make_secret(files, path);
        const core::Bytes text = core::read_file(files, path, kFileBytesMax);
        if (const auto secret = rpc::parse_jwt_secret(core::ByteView(text).text())) return *secret;
    } catch (const core::FileFault& fault) {
        refuse(path, fault.message());
    }
    refuse(path, "not 32 bytes in hex digits");
}

}  // namespace keel::node
