#include "node/runners/fixture_json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/hex.hpp"

namespace keel::node::runners {
namespace {

// A field that is wider than 256 bits is written so, because its decoded form is no number any
// more.
constexpr std::string_view kBigIntPrefix = "0x:bigint ";

std::string_view need_string(const Json& value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) throw MalformedFixture("a string is expected");
    return text;
}

}  // namespace

void JsonFile::read(core::FileSystem& files, const std::filesystem::path& path) {
    const core::File file(files, path, core::OpenMode::Read);
    // One byte more than it should have: a file that grows, or a pipe, is seen.
    size_t room = static_cast<size_t>(file.info().size_bytes) + 1;
    size_t size = 0;
    while (true) {
        if (room + simdjson::SIMDJSON_PADDING > text_capacity_) {
            const size_t capacity = room + room / 2 + simdjson::SIMDJSON_PADDING;
            auto text = std::make_unique_for_overwrite<uint8_t[]>(capacity);
            std::copy_n(text_.get(), size, text.get());
            text_ = std::move(text);
            text_capacity_ = capacity;
        }
        size += file.read_at(text_.get() + size, room - size, size);
        if (size < room) break;
        room *= 2;
    }
    const auto error = parser_.parse(text_.get(), size, false).get(root_);
    if (!error) return;
    throw MalformedFixture(
        fmt::format("{}: not JSON: {}", path.string(), simdjson::error_message(error)));
}

FixtureFile::FixtureFile(core::FileSystem& files, const std::filesystem::path& path,
                         std::unique_ptr<JsonFile> memory)
    : path_(path), document_(std::move(memory)) {
    document_->read(files, path_);
    JsonObject tests;
    if (document_->root().get(tests) != simdjson::SUCCESS) return;
    for (const auto& [name, value] : tests) {
        JsonObject test;
        if (value.get(test) == simdjson::SUCCESS) {
            members_.push_back({name, test, &path_});
        } else {
            ++other_members_;
        }
    }
}

std::optional<Json> find(const JsonObject& object, std::string_view name) {
    Json value;
    if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
    return value;
}

Json need(const JsonObject& object, std::string_view name) {
    const auto value = find(object, name);
    if (!value) throw MalformedFixture(fmt::format("no member {}", name));
    return *value;
}

JsonObject need_object(const JsonObject& object, std::string_view name) {
    JsonObject to;
    if (need(object, name).get(to) != simdjson::SUCCESS) {
        throw MalformedFixture(fmt::format("{} is not an object", name));
    }
    return to;
}

JsonArray need_array(const JsonObject& object, std::string_view name) {
    JsonArray to;
    if (need(object, name).get(to) != simdjson::SUCCESS) {
        throw MalformedFixture(fmt::format("{} is not an array", name));
    }
    return to;
}

std::string_view need_text(const JsonObject& object, std::string_view name) {
    const auto text = find_text(object, name);
    if (!text) throw MalformedFixture(fmt::format("no text {}", name));
    return *text;
}

std::optional<std::string_view> find_text(const JsonObject& object, std::string_view name) {
    const auto value = find(object, name);
    std::string_view text;
    if (!value || value->get(text) != simdjson::SUCCESS) return std::nullopt;
    return text;
}

std::optional<core::U256> to_u256(const Json& value) {
    uint64_t number = 0;
    if (value.get(number) == simdjson::SUCCESS) return core::U256(number);
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
    if (text.starts_with(kBigIntPrefix)) text.remove_prefix(kBigIntPrefix.size());
    if (text.empty() || text == "0x") return core::U256();
    return core::U256::parse(text);
}

std::optional<uint64_t> to_uint64(const Json& value) {
    const auto number = to_u256(value);
    if (!number || !number->fits_uint64()) return std::nullopt;
    return number->low64();
}

core::U256 read_u256(const Json& value) {
    const auto number = to_u256(value);
    if (!number) throw MalformedFixture("a number of at most 256 bits is expected");
    return *number;
}

uint64_t read_uint64(const Json& value) {
    const auto number = to_uint64(value);
    if (!number) throw MalformedFixture("a number of at most 64 bits is expected");
    return *number;
}

core::Bytes read_bytes(const Json& value) {
    auto bytes = core::from_hex_lenient(need_string(value));
    if (!bytes) throw MalformedFixture("hex digits are expected");
    return *std::move(bytes);
}

core::Address read_address(std::string_view text) {
    const auto address = core::fixed_from_hex<core::Address>(text);
    if (!address) throw MalformedFixture(fmt::format("not an address: {}", text));
    return *address;
}

core::Hash32 read_hash(const Json& value) {
    const core::Bytes bytes = read_bytes(value);
    if (bytes.size() > core::Hash32::kSize) throw MalformedFixture("a hash of over 32 bytes");
    core::Hash32 hash;
    std::ranges::copy(bytes, hash.bytes.end() - static_cast<std::ptrdiff_t>(bytes.size()));
    return hash;
}

Alloc read_alloc(const JsonObject& accounts) {
    Alloc alloc;
    for (const auto& [text, value] : accounts) {
        JsonObject from;
        if (value.get(from) != simdjson::SUCCESS) throw MalformedFixture("an account is no object");
        chain::GenesisAccount account;
        if (const auto balance = find(from, "balance")) account.balance = read_u256(*balance);
        if (const auto nonce = find(from, "nonce")) account.nonce = read_uint64(*nonce);
        if (const auto code = find(from, "code")) account.code = read_bytes(*code);
        JsonObject storage;
        if (from.at_key("storage").get(storage) == simdjson::SUCCESS) {
            for (const auto& [slot_text, slot_value] : storage) {
                const auto slot = core::U256::parse(slot_text);
                if (!slot) throw MalformedFixture(fmt::format("not a slot: {}", slot_text));
                const core::U256 stored = read_u256(slot_value);
                if (!stored.is_zero()) account.storage[*slot] = stored;
            }
        }
        alloc.insert_or_assign(read_address(text), std::move(account));
    }
    return alloc;
}

}  // namespace keel::node::runners
