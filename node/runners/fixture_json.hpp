#pragma once

// Reading of test files: an object of name -> test. Values come in the forms that three generations
// of test makers wrote, so each reader here is lenient about form and strict about meaning.

#include <simdjson.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/genesis.hpp"
#include "core/bytes.hpp"
#include "core/fault.hpp"
#include "core/files.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::node::runners {

using Json = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

/// Accounts by address, as `pre` and `postState` say them. Zero slots are not in it.
using Alloc = std::map<core::Address, chain::GenesisAccount>;

/// The file or the test is not what its format says. Caught where a test is run: it fails, the
/// others go on.
class MalformedFixture : public core::Fault {
  public:
    explicit MalformedFixture(std::string message)
        : core::Fault(core::FaultKind::Failed, std::move(message)) {}
};

/// A parsed document. Its memory is used again for the next one that it reads.
class JsonFile {
  public:
    JsonFile() = default;
    JsonFile(core::FileSystem& files, const std::filesystem::path& path) { read(files, path); }
    JsonFile(const JsonFile&) = delete;
    JsonFile& operator=(const JsonFile&) = delete;

    /// What was read before is gone. Throws core::FileFault, MalformedFixture.
    void read(core::FileSystem& files, const std::filesystem::path& path);
    const Json& root() const noexcept { return root_; }

  private:
    simdjson::dom::parser parser_;
    std::unique_ptr<uint8_t[]> text_;  // with the bytes behind it that the parser reads
    size_t text_capacity_ = 0;
    Json root_;
};

/// One parsed file of tests. Any thread may read it. lifetime: all that is read from it views it.
class FixtureFile {
  public:
    struct Member {
        std::string_view name;
        JsonObject test;
        const std::filesystem::path* file = nullptr;
    };
    /// Throws core::FileFault, MalformedFixture.
    FixtureFile(core::FileSystem& files, const std::filesystem::path& path)
        : FixtureFile(files, path, std::make_unique<JsonFile>()) {}
    /// `memory` of another file, which is done with.
    FixtureFile(core::FileSystem& files, const std::filesystem::path& path,
                std::unique_ptr<JsonFile> memory);
    FixtureFile(const FixtureFile&) = delete;
    FixtureFile& operator=(const FixtureFile&) = delete;
    /// In the order of the file; none in a document that is no object.
    const std::vector<Member>& members() const noexcept { return members_; }
    /// Members that are no objects, so no tests of any format.
    size_t other_members() const noexcept { return other_members_; }
    /// Ends the file.
    std::unique_ptr<JsonFile> release_memory() && noexcept { return std::move(document_); }

  private:
    std::filesystem::path path_;
    std::unique_ptr<JsonFile> document_;
    std::vector<Member> members_;
    size_t other_members_ = 0;
};

/// Member `name` of an object; none: absent or null.
std::optional<Json> find(const JsonObject& object, std::string_view name);
/// Throws MalformedFixture when it is absent.
Json need(const JsonObject& object, std::string_view name);
JsonObject need_object(const JsonObject& object, std::string_view name);
JsonArray need_array(const JsonObject& object, std::string_view name);
std::string_view need_text(const JsonObject& object, std::string_view name);
std::optional<std::string_view> find_text(const JsonObject& object, std::string_view name);

/// A number: hex (padded or not), decimal, "0x:bigint 0x…", "" (zero), or a JSON number; none: not
/// a number, or over 256 bits.
std::optional<core::U256> to_u256(const Json& value);
/// None over 64 bits too.
std::optional<uint64_t> to_uint64(const Json& value);
/// Throw MalformedFixture.
core::U256 read_u256(const Json& value);
uint64_t read_uint64(const Json& value);
/// Hex digits with or without "0x"; an odd count is padded on the left.
core::Bytes read_bytes(const Json& value);
core::Address read_address(std::string_view text);
/// Shorter values are padded on the left.
core::Hash32 read_hash(const Json& value);

Alloc read_alloc(const JsonObject& accounts);

}  // namespace keel::node::runners
