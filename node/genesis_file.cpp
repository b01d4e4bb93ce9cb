#include "node/genesis_file.hpp"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>

#include "chain/genesis_json.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "state/new_state.hpp"

namespace keel::node {
namespace {

namespace ondemand = simdjson::ondemand;
using core::Address;
using core::U256;
using state::NewState;

constexpr std::string_view kAllocName = "alloc";
constexpr std::string_view kEmptyAlloc = "{}";
// Digits of any number below 2^64.
constexpr size_t kShortDigits = 19;

constexpr std::array<int8_t, 256> hex_values() {
    std::array<int8_t, 256> values = {};
    values.fill(-1);
    for (int8_t i = 0; i < 10; ++i) values[static_cast<size_t>('0' + i)] = i;
    for (int8_t i = 0; i < 6; ++i) {
        values[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
        values[static_cast<size_t>('A' + i)] = static_cast<int8_t>(10 + i);
    }
    return values;
}
constexpr std::array<int8_t, 256> kHexValues = hex_values();

/// As core::fixed_from_hex, without memory of its own.
std::optional<Address> address_of(std::string_view text) noexcept {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    if (text.size() != 2 * Address::kSize) return std::nullopt;
    Address address;
    int bad = 0;
    for (size_t i = 0; i < Address::kSize; ++i) {
        const int high = kHexValues[static_cast<uint8_t>(text[2 * i])];
        const int low = kHexValues[static_cast<uint8_t>(text[2 * i + 1])];
        bad |= high | low;
        address[i] = static_cast<uint8_t>((high << 4) | low);
    }
    return bad < 0 ? std::nullopt : std::optional(address);
}

/// As chain::parse_number, quicker for what is short.
std::optional<U256> number_of(std::string_view text) {
    if (!text.empty() && text.size() <= kShortDigits && text[0] >= '0' && text[0] <= '9') {
        uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size()) return U256(value);
    }
    return chain::parse_number(text);
}

/// Reads the alloc of a document. Each function says false for what it does not take, which says
/// nothing about whether it is right.
class AllocReader {
  public:
    /// `end`: of the document's text.
    AllocReader(NewState& to, const char* end) : state_(to), end_(end) {}

    bool read(ondemand::object alloc) {
        for (auto found : alloc) {
            ondemand::field field;
            ondemand::object account;
            if (std::move(found).get(field) != simdjson::SUCCESS) return false;
            const auto name = plain(field.key());
            const auto address = name ? address_of(*name) : std::nullopt;
            if (!address || field.value().get_object().get(account) != simdjson::SUCCESS)
                return false;
            if (!read_account(*address, account)) return false;
        }
        return true;
    }

  private:
    enum Member : unsigned { kBalance = 1, kNonce = 2, kCode = 4, kStorage = 8 };

    /// Text of a string that is written without escapes. The parser has found its end before.
    std::optional<std::string_view> plain(ondemand::raw_json_string raw) const {
        const char* const begin = raw.raw();
        const auto left = static_cast<size_t>(end_ - begin);
        const auto* const quote = static_cast<const char*>(std::memchr(begin, '"', left));
        if (quote == nullptr) return std::nullopt;
        const std::string_view text(begin, static_cast<size_t>(quote - begin));
        if (text.find('\\') != std::string_view::npos) return std::nullopt;
        return text;
    }

    std::optional<std::string_view> plain(ondemand::value value) const {
        ondemand::raw_json_string raw;
        if (value.get_raw_json_string().get(raw) != simdjson::SUCCESS) return std::nullopt;
        return plain(raw);
    }

    /// A string, or a number of digits alone; what other numbers are is for the other reader.
    std::optional<U256> number(ondemand::value value) const {
        ondemand::json_type type;
        if (value.type().get(type) != simdjson::SUCCESS) return std::nullopt;
        if (type == ondemand::json_type::string) {
            const auto text = plain(value);
            return text ? number_of(*text) : std::nullopt;
        }
        if (type != ondemand::json_type::number) return std::nullopt;
        std::string_view digits = value.raw_json_token();
        const size_t behind = digits.find_first_not_of("0123456789");
        if (behind != std::string_view::npos) {
            if (digits.find_first_not_of(" \t\r\n", behind) != std::string_view::npos)
                return std::nullopt;
            digits = digits.substr(0, behind);
        }
        if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
        return number_of(digits);
    }

    bool read_account(const Address& address, ondemand::object account) {
        U256 balance;
        U256 nonce;
        uint32_t code = NewState::kNone;
        unsigned seen = 0;
        for (auto found : account) {
            ondemand::field field;
            if (std::move(found).get(field) != simdjson::SUCCESS) return false;
            const auto name = plain(field.key());
            const unsigned member = name ? member_of(*name) : 0;
            // Which of two counts, and what others mean, the other reader knows.
            if (member == 0 || (seen & member) != 0) return false;
            seen |= member;
            if (member == kCode) {
                if (!read_code(field.value(), code)) return false;
            } else if (member == kStorage) {
                ondemand::object slots;
                if (field.value().get_object().get(slots) != simdjson::SUCCESS) return false;
                if (!read_slots(slots)) return false;
            } else {
                const auto value = number(field.value());
                if (!value) return false;
                (member == kBalance ? balance : nonce) = *value;
            }
        }
        if (!nonce.fits_uint64()) return false;
        state_.add_account(address, nonce.low64(), balance, code);
        return true;
    }

    static unsigned member_of(std::string_view name) noexcept {
        if (name == "balance") return kBalance;
        if (name == "nonce") return kNonce;
        if (name == "code") return kCode;
        if (name == "storage") return kStorage;
        return 0;
    }

    bool read_code(ondemand::value value, uint32_t& code) {
        const auto text = plain(value);
        if (!text) return false;
        const auto known = codes_.find(*text);
        if (known != codes_.end()) {
            code = known->second;
            return true;
        }
        auto bytes = core::from_hex(*text);
        if (!bytes) return false;
        if (!bytes->empty()) code = state_.add_code(*std::move(bytes));
        codes_.emplace(*text, code);
        return true;
    }

    bool read_slots(ondemand::object slots) {
        for (auto found : slots) {
            ondemand::field field;
            if (std::move(found).get(field) != simdjson::SUCCESS) return false;
            const auto name = plain(field.key());
            const auto text = plain(field.value());
            if (!name || !text) return false;
            const auto slot = chain::parse_hex_word(*name);
            const auto value = chain::parse_hex_word(*text);
            if (!slot || !value) return false;
            state_.add_slot(*slot, *value);
        }
        return true;
    }

    NewState& state_;
    const char* const end_;
    std::unordered_map<std::string_view, uint32_t> codes_;  // by their text: many are alike
};

/// The alloc, and the document with an empty one in its place.
struct Read {
    std::shared_ptr<NewState> alloc;
    std::string rest;
};

std::optional<Read> read_plain(const std::string& document) {
    ondemand::parser parser;
    ondemand::document parsed;
    ondemand::object object;
    const simdjson::padded_string_view padded(document.data(), document.size(),
                                              document.capacity());
    if (parser.iterate(padded).get(parsed) != simdjson::SUCCESS) return std::nullopt;
    if (parsed.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
    const char* const end = document.data() + document.size();
    Read read;
    for (auto found : object) {
        ondemand::field field;
        if (std::move(found).get(field) != simdjson::SUCCESS) return std::nullopt;
        // Names with escapes differ from this one and are left to the other reader.
        if (!field.key().is_equal(kAllocName)) continue;
        if (read.alloc) return std::nullopt;
        read.alloc = std::make_shared<NewState>();
        const char* begin = nullptr;
        const char* behind = nullptr;
        ondemand::object alloc;
        ondemand::value value = field.value();
        if (value.current_location().get(begin) != simdjson::SUCCESS) return std::nullopt;
        if (*begin != '{' || value.get_object().get(alloc) != simdjson::SUCCESS)
            return std::nullopt;
        if (!AllocReader(*read.alloc, end).read(alloc)) return std::nullopt;
        if (parsed.current_location().get(behind) != simdjson::SUCCESS) return std::nullopt;
        read.rest.assign(document.data(), begin);
        read.rest += kEmptyAlloc;
        read.rest.append(behind, end);
    }
    if (!read.alloc) return std::nullopt;
    return read;
}

}  // namespace

chain::Genesis parse_genesis_document(std::string& document, const std::string& name) {
    document.reserve(document.size() + simdjson::SIMDJSON_PADDING);
    if (auto read = read_plain(document)) {
        try {
            chain::Genesis genesis = chain::parse_genesis(read->rest, name);
            KEEL_ASSERT(genesis.alloc.empty());
            read->alloc->finish();
            genesis.flat_alloc = std::move(read->alloc);
            return genesis;
        } catch (const core::Fault&) {
            // Said below, of the document as it is: places in the text must be right.
        }
    }
    return chain::parse_genesis(document, name);
}

}  // namespace keel::node
