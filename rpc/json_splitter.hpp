#pragma once

#include <cstddef>
#include <string_view>

namespace keel::rpc {

/// Finds where the JSON texts in a stream of bytes end: an object or array with its last bracket,
/// anything else with its line. Whether they are JSON is for the parser to say.
class JsonSplitter {
  public:
    /// Bytes of the first text in `stream`, space in front included; 0: it is not all there. What
    /// was looked at before is not looked at again: until it is found `stream` may only grow.
    size_t find_end(std::string_view stream) noexcept {
        for (; at_ < stream.size(); ++at_) {
            if (takes(stream[at_])) {
                const size_t end = at_ + 1;
                *this = {};
                return end;
            }
        }
        return 0;
    }

  private:
    /// Whether the text ends with this character.
    bool takes(char character) noexcept {
        if (in_string_) {
            if (is_escaped_) {
                is_escaped_ = false;
            } else if (character == '\\') {
                is_escaped_ = true;
            } else if (character == '"') {
                in_string_ = false;
            }
            return false;
        }
        switch (character) {
            case '"':
                in_string_ = depth_ > 0;
                has_begun_ = true;
                return false;
            case '{':
            case '[':
                ++depth_;
                has_begun_ = true;
                return false;
            case '}':
            case ']':
                if (depth_ > 0) --depth_;
                has_begun_ = true;
                return depth_ == 0;
            case '\n':
                return has_begun_ && depth_ == 0;
            case ' ':
            case '\t':
            case '\r':
                return false;
            default:
                has_begun_ = true;
                return false;
        }
    }

    size_t at_ = 0;
    size_t depth_ = 0;
    bool has_begun_ = false;
    bool in_string_ = false;
    bool is_escaped_ = false;
};

}  // namespace keel::rpc
