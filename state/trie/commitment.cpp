#include "state/trie/commitment.hpp"

#include <array>
#include <string>

#include "core/base.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "state/trie/node.hpp"

namespace keel::state {

namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr uint8_t kHashHeader = 0xa0;  // string of 32 bytes
constexpr uint8_t kEmptyString = 0x80;
constexpr uint8_t kNoChildItem[] = {kEmptyString};
constexpr core::ByteView kNoChild{kNoChildItem, 1};
constexpr size_t kBranchRlpBytesMax = 532;  // of sixteen hashes
/// Headers of list, path and value or child, the packed path, an extension's child.
constexpr size_t kShortRlpBytesMax = 9 + 34 + 33;

/// A child of a branch in work: a node in work, or an untouched stored one, or nothing.
struct Child {
    uint32_t node = kNone;
    ChildReference kept;

    bool present() const noexcept { return node != kNone || !kept.empty(); }
};
using Children = std::array<Child, 16>;

enum class Kind : uint8_t {
    Nothing,
    Leaf,
    Branch,      // its children are known
    KeptBranch,  // stored and not read; only its reference is known
};

/// What is stored at a position of the walk. A branch may stand deeper than the position: the
/// nibbles between are those of an extension.
struct Place {
    Kind kind = Kind::Nothing;
    const uint8_t* key = nullptr;               // begins with the path of the leaf or branch
    size_t end = 0;                             // length of that path
    core::ByteView value;                       // leaf
    ChildReference reference;                   // kept branch
    std::array<ChildReference, 16> children{};  // branch
};

/// A node in work: a leaf, or a branch with the extension above it, if any.
struct Node {
    Kind kind = Kind::Leaf;
    uint8_t top = 0;     // path length of the uppermost row
    uint8_t end = 0;     // path length of the branch; 64 for a leaf
    uint8_t height = 0;  // rows below it on the longest way down, without its extension
    uint8_t reference_bytes = 0;
    uint32_t branch = kNone;  // index of the children
    const uint8_t* key = nullptr;
    core::ByteView value;           // leaf: value; kept branch: its reference
    std::array<uint8_t, 33> own{};  // reference to the row encoded last
    core::ByteView row;             // once encoded: of the leaf or branch
    core::ByteView extension_row;

    bool has_extension() const noexcept { return kind != Kind::Leaf && top < end; }
    ChildReference reference() const noexcept {
        return reference_bytes == 0 ? value : core::ByteView(own.data(), reference_bytes);
    }
};

/// Updates [first, last).
struct Slice {
    size_t first;
    size_t last;

    bool empty() const noexcept { return first == last; }
};

/// A row to encode.
struct Row {
    uint32_t node;
    bool extension;
};

struct OldRow {
    core::ByteView path;
    core::ByteView rlp;
};

}  // namespace

class CommitmentWalk {
  public:
    CommitmentWalk(NodeReader& stored, std::span<const TrieUpdate> updates)
        : stored_(stored), updates_(updates) {
        out_.new_keys_.resize(updates.size());
        for (size_t at = 0; at < updates.size(); ++at) {
            KEEL_ASSERT(at == 0 || updates[at - 1].key < updates[at].key);
            KEEL_ASSERT(!updates[at].value || !updates[at].value->empty());
            expand_nibbles(updates[at].key, out_.new_keys_[at].data());
        }
    }

    Commitment run() {
        reserve();
        if (updates_.empty()) {
            const auto root = stored_.node({});
            out_.root_ = root ? crypto::keccak256(*root) : empty_root();
            return std::move(out_);
        }
        static constexpr uint8_t kNoNibbles[1] = {};
        const auto root_row = stored_.node({});
        const Place root = root_row ? read(kNoNibbles, 0, *root_row) : Place{};
        const uint32_t top = apply(root, 0, {0, updates_.size()});
        if (top == kNone) {
            out_.root_ = empty_root();
        } else {
            encode(top);
        }
        collect_changes(top);
        return std::move(out_);
    }

    Commitment run_part(size_t depth) {
        KEEL_ASSERT(!updates_.empty());
        KEEL_ASSERT(core::ByteView(key(0), depth) ==
                    core::ByteView(key(updates_.size() - 1), depth));
        reserve();
        const uint32_t top = apply(Place{}, depth, {0, updates_.size()});
        KEEL_ASSERT(top != kNone, "a new trie deletes nothing");
        encode(kNone);
        collect_changes(top);
        out_.reference_ = nodes_[top].reference().to_bytes();
        return std::move(out_);
    }

  private:
    const uint8_t* key(size_t update) const noexcept { return out_.new_keys_[update].data(); }

    [[noreturn]] static void damaged(core::ByteView path, const char* what) {
        throw core::Fault(core::FaultKind::Damaged,
                          "state trie: " + std::string(what) + " at path " + core::to_hex(path) +
                              "; check the database, or build it anew from genesis and blocks");
    }

    core::ByteView must_read(const uint8_t* path, size_t length) {
        const auto row = stored_.node({path, length});
        if (!row) damaged({path, length}, "a node is missing");
        return *row;
    }

    void reserve() {
        // Few keys touch a few branches each, many keys share theirs.
        constexpr size_t kFewKeys = 4096;
        const size_t keys = updates_.size();
        nodes_.reserve(keys <= kFewKeys ? 6 * keys : keys + keys / 2);
        branches_.reserve(keys <= kFewKeys ? 4 * keys : keys / 2);
    }

    /// Decodes the row at `path`; its leaf's key or extension's path is completed.
    Place decode(const uint8_t* path, size_t length, core::ByteView row) {
        const auto node = decode_node(row);
        if (!node) damaged({path, length}, to_string(node.error()));
        Place place;
        auto& own = out_.old_keys_.emplace_back();
        std::copy_n(path, length, own.begin());
        place.key = own.data();
        place.end = length;
        if (node->kind == NodeKind::Branch) {
            if (length >= kKeyNibbles || !node->value.empty())
                damaged({path, length}, "a branch with a value or below every key");
            place.kind = Kind::Branch;
            place.children = node->children;
            return place;
        }
        place.end += node->path.nibbles;
        const bool leaf = node->kind == NodeKind::Leaf;
        if (place.end > kKeyNibbles || leaf != (place.end == kKeyNibbles))
            damaged({path, length}, "a path of the wrong length");
        node->path.unpack(own.data() + length);
        place.kind = leaf ? Kind::Leaf : Kind::KeptBranch;
        place.value = node->value;
        place.reference = node->child;
        return place;
    }

    /// The same for a row that is replaced or deleted.
    Place read(const uint8_t* path, size_t length, core::ByteView row) {
        Place place = decode(path, length, row);
        old_rows_.push_back({{place.key, length}, row});
        return place;
    }

    uint32_t add(Node node) {
        nodes_.push_back(node);
        return static_cast<uint32_t>(nodes_.size() - 1);
    }

    uint32_t add_leaf(const uint8_t* key_nibbles, size_t top, core::ByteView value) {
        Node node;
        node.top = static_cast<uint8_t>(top);
        node.end = kKeyNibbles;
        node.key = key_nibbles;
        node.value = value;
        return add(node);
    }

    uint32_t add_kept(const uint8_t* path, size_t top, size_t end, ChildReference reference) {
        Node node;
        node.kind = Kind::KeptBranch;
        node.top = static_cast<uint8_t>(top);
        node.end = static_cast<uint8_t>(end);
        node.key = path;
        node.value = reference;
        return add(node);
    }

    /// A stored place that no update touches, moved to `top` because the rows above it changed.
    uint32_t keep(const Place& place, size_t top) {
        if (place.kind == Kind::Leaf) return add_leaf(place.key, top, place.value);
        KEEL_ASSERT(place.kind == Kind::KeptBranch);
        return add_kept(place.key, top, place.end, place.reference);
    }

    /// The updates of `slice` whose keys begin with path[0, length). All share the first `from`.
    Slice inside(Slice slice, const uint8_t* path, size_t from, size_t length) const {
        const core::ByteView wanted{path + from, length - from};
        while (!slice.empty() && core::ByteView(key(slice.first) + from, length - from) < wanted)
            ++slice.first;
        size_t last = slice.first;
        while (last < slice.last && core::ByteView(key(last) + from, length - from) == wanted)
            ++last;
        return {slice.first, last};
    }

    /// From the first update that writes a value to the last one; deletions outside do nothing
    /// where nothing is stored.
    Slice writes(Slice slice) const {
        while (!slice.empty() && !updates_[slice.first].value) ++slice.first;
        while (!slice.empty() && !updates_[slice.last - 1].value) --slice.last;
        return slice;
    }

    /// The updates at the front of `slice` that have the same nibble at `position`.
    Slice take_nibble(Slice& slice, size_t position) const {
        const size_t first = slice.first;
        const uint8_t nibble = key(first)[position];
        while (!slice.empty() && key(slice.first)[position] == nibble) ++slice.first;
        return {first, slice.first};
    }

    /// Applies updates that share their first `depth` nibbles to what is stored there. Returns the
    /// node in work, or kNone when nothing is left.
    uint32_t apply(const Place& place, size_t depth, Slice slice) {
        if (place.kind == Kind::Nothing) return build(depth, slice);
        const Slice written = writes(slice);
        size_t split = place.end;
        if (!written.empty()) {
            const core::ByteView path{place.key, place.end};
            split = std::min(common_prefix({key(written.first), kKeyNibbles}, path),
                             common_prefix({key(written.last - 1), kKeyNibbles}, path));
        }
        slice = inside(slice, place.key, depth, split);
        if (split == place.end) return apply_inside(place, depth, slice);

        Children children;
        const uint8_t own_slot = place.key[split];
        bool own_done = false;
        while (!slice.empty()) {
            const uint8_t slot = key(slice.first)[split];
            const Slice part = take_nibble(slice, split);
            const bool own = slot == own_slot;
            own_done = own_done || own;
            children[slot].node = own ? apply(place, split + 1, part) : build(split + 1, part);
        }
        if (!own_done) children[own_slot].node = keep(place, split + 1);
        return finish_branch(place.key, depth, split, children);
    }

    /// As apply; every update's key begins with the place's path.
    uint32_t apply_inside(const Place& place, size_t depth, Slice slice) {
        if (slice.empty()) return keep(place, depth);
        if (place.kind == Kind::Leaf) {
            const auto& value = updates_[slice.first].value;
            return value ? add_leaf(place.key, depth, *value) : kNone;
        }
        if (place.kind == Kind::Branch) return apply_branch(place, depth, slice);
        const Place branch = read(place.key, place.end, must_read(place.key, place.end));
        if (branch.kind != Kind::Branch)
            damaged({place.key, place.end}, "no branch below an extension");
        return apply_branch(branch, depth, slice);
    }

    uint32_t apply_branch(const Place& place, size_t depth, Slice slice) {
        Children children;
        for (size_t slot = 0; slot < children.size(); ++slot)
            children[slot].kept = place.children[slot];
        const size_t below = place.end + 1;
        while (!slice.empty()) {
            const uint8_t* path = key(slice.first);
            Child& child = children[path[place.end]];
            const Slice part = take_nibble(slice, place.end);
            if (child.kept.empty()) {
                child.node = build(below, part);
            } else {
                child.kept = {};
                child.node = apply(read(path, below, must_read(path, below)), below, part);
            }
        }
        return finish_branch(place.key, depth, place.end, children);
    }

    /// Makes nodes where nothing is stored.
    uint32_t build(size_t depth, Slice slice) {
        slice = writes(slice);
        if (slice.empty()) return kNone;
        const uint8_t* path = key(slice.first);
        if (slice.last - slice.first == 1)
            return add_leaf(path, depth, *updates_[slice.first].value);
        const size_t split = common_prefix({path, kKeyNibbles}, {key(slice.last - 1), kKeyNibbles});
        Children children;
        while (!slice.empty()) {
            const uint8_t slot = key(slice.first)[split];
            children[slot].node = build(split + 1, take_nibble(slice, split));
        }
        return finish_branch(path, depth, split, children);
    }

    /// The branch at path[0, end) with an extension from `top`; with one child or none left it
    /// collapses.
    uint32_t finish_branch(const uint8_t* path, size_t top, size_t end, const Children& children) {
        size_t count = 0;
        size_t only = 0;
        size_t height = 0;
        for (size_t slot = 0; slot < children.size(); ++slot) {
            if (!children[slot].present()) continue;
            ++count;
            only = slot;
            if (children[slot].node == kNone) continue;
            const Node& child = nodes_[children[slot].node];
            height = std::max<size_t>(height, child.height + (child.has_extension() ? 2u : 1u));
        }
        if (count == 0) return kNone;
        if (count == 1) return collapse(path, top, end, only, children[only]);
        Node node;
        node.kind = Kind::Branch;
        node.top = static_cast<uint8_t>(top);
        node.end = static_cast<uint8_t>(end);
        node.height = static_cast<uint8_t>(height);
        node.key = path;
        node.branch = static_cast<uint32_t>(branches_.size());
        branches_.push_back(children);
        return add(node);
    }

    uint32_t collapse(const uint8_t* path, size_t top, size_t end, size_t slot,
                      const Child& child) {
        if (child.node != kNone) {
            nodes_[child.node].top = static_cast<uint8_t>(top);
            return child.node;
        }
        std::array<uint8_t, kKeyNibbles> sibling;
        std::copy_n(path, end, sibling.begin());
        sibling[end] = static_cast<uint8_t>(slot);
        const core::ByteView row = must_read(sibling.data(), end + 1);
        const Place place = decode(sibling.data(), end + 1, row);
        // A branch stays where it is, below a new extension; other rows merge into this one.
        if (place.kind == Kind::Branch) return add_kept(place.key, top, end + 1, child.kept);
        old_rows_.push_back({{place.key, end + 1}, row});
        return keep(place, top);
    }

    // Encoding, after the walk: no row is encoded before its children have their references.

    /// kNone: the top is a node like the others.
    void encode(uint32_t top) {
        // Views of the rows are taken at once, so the buffer must not move.
        size_t bytes_max = branches_.size() * kBranchRlpBytesMax;
        std::vector<std::vector<Row>> levels;
        const auto add_row = [&levels](size_t height, Row row) {
            if (levels.size() <= height) levels.resize(height + 1);
            levels[height].push_back(row);
        };
        for (uint32_t id = 0; id < nodes_.size(); ++id) {
            const Node& node = nodes_[id];
            if (node.kind == Kind::Leaf) {
                add_row(0, {id, false});
                bytes_max += kShortRlpBytesMax + node.value.size();
            }
            if (node.kind == Kind::Branch) add_row(node.height, {id, false});
            if (node.has_extension()) {
                add_row(node.height + (node.kind == Kind::Branch ? 1u : 0u), {id, true});
                bytes_max += kShortRlpBytesMax;
            }
        }
        out_.encoded_.reserve(bytes_max);
        for (const auto& level : levels) encode_level(level, top);
        KEEL_ASSERT(out_.encoded_.size() <= bytes_max);
    }

    void encode_level(const std::vector<Row>& level, uint32_t top) {
        inputs_.clear();
        hashed_.clear();
        for (const Row& row : level) {
            const size_t offset = out_.encoded_.size();
            encode_row(row);
            const core::ByteView rlp = core::ByteView(out_.encoded_).sub(offset);
            Node& node = nodes_[row.node];
            (row.extension ? node.extension_row : node.row) = rlp;
            const bool is_root = row.node == top && row.extension == node.has_extension();
            if (rlp.size() >= core::Hash32::kSize || is_root) {
                inputs_.push_back(rlp);
                hashed_.push_back(row);
            } else {
                std::copy(rlp.begin(), rlp.end(), node.own.begin());
                node.reference_bytes = static_cast<uint8_t>(rlp.size());
            }
        }
        hashes_.resize(inputs_.size());
        crypto::keccak256_batch(inputs_, hashes_);
        for (size_t at = 0; at < hashed_.size(); ++at) {
            Node& node = nodes_[hashed_[at].node];
            node.own[0] = kHashHeader;
            std::copy_n(hashes_[at].data(), core::Hash32::kSize, node.own.begin() + 1);
            node.reference_bytes = 1 + core::Hash32::kSize;
            const bool is_root =
                hashed_[at].node == top && hashed_[at].extension == node.has_extension();
            if (is_root) out_.root_ = hashes_[at];
        }
        out_.nodes_hashed_ += hashes_.size();
    }

    void encode_row(const Row& row) {
        core::Bytes& to = out_.encoded_;
        const Node& node = nodes_[row.node];
        if (node.kind == Kind::Branch && !row.extension) {
            const Children& children = branches_[node.branch];
            size_t payload = 1;  // no value: keys are all of one length
            for (const Child& child : children)
                payload += child.present() ? reference(child).size() : 1;
            core::rlp_append_list_header(to, payload);
            to.resize(to.size() + payload, kEmptyString);
            uint8_t* at = to.data() + to.size() - payload;
            for (const Child& child : children) {
                const ChildReference item = child.present() ? reference(child) : kNoChild;
                at = std::copy(item.begin(), item.end(), at);
            }
            return;  // the value is left as the empty string
        }
        packed_.clear();
        append_hex_prefix(packed_, {node.key + node.top, static_cast<size_t>(node.end - node.top)},
                          node.kind == Kind::Leaf);
        const size_t rest =
            row.extension ? node.reference().size() : core::rlp_string_length(node.value);
        core::rlp_append_list_header(to, core::rlp_string_length(packed_) + rest);
        core::rlp_append_string(to, packed_);
        if (row.extension)
            core::append(to, node.reference());
        else
            core::rlp_append_string(to, node.value);
    }

    ChildReference reference(const Child& child) const noexcept {
        return child.node == kNone ? child.kept : nodes_[child.node].reference();
    }

    /// Rows and old rows, merged by path.
    void collect_changes(uint32_t top) {
        // They were read from the root downwards, but for siblings of what was deleted.
        const auto by_path = [](const OldRow& a, const OldRow& b) { return a.path < b.path; };
        if (!std::is_sorted(old_rows_.begin(), old_rows_.end(), by_path))
            std::sort(old_rows_.begin(), old_rows_.end(), by_path);
        out_.changes_.reserve(nodes_.size());
        next_old_ = 0;
        if (top != kNone) collect_rows(nodes_[top]);
        drop_old_rows_before(old_rows_.size());
    }

    void drop_old_rows_before(size_t end) {
        for (; next_old_ < end; ++next_old_)
            out_.changes_.push_back(
                {old_rows_[next_old_].path, std::nullopt, old_rows_[next_old_].rlp});
    }

    void collect_row(core::ByteView path, core::ByteView rlp) {
        size_t end = next_old_;
        while (end < old_rows_.size() && old_rows_[end].path < path) ++end;
        drop_old_rows_before(end);
        std::optional<core::ByteView> before;
        if (end < old_rows_.size() && old_rows_[end].path == path) {
            ++next_old_;
            before = old_rows_[end].rlp;
            if (*before == rlp) return;
        }
        out_.changes_.push_back({path, rlp, before});
    }

    /// From the root downwards, children from left to right: ascending by path.
    void collect_rows(const Node& node) {
        if (node.has_extension()) collect_row({node.key, node.top}, node.extension_row);
        if (node.kind == Kind::KeptBranch) return;
        if (node.kind == Kind::Leaf) return collect_row({node.key, node.top}, node.row);
        collect_row({node.key, node.end}, node.row);
        for (const Child& child : branches_[node.branch])
            if (child.node != kNone) collect_rows(nodes_[child.node]);
    }

    NodeReader& stored_;
    std::span<const TrieUpdate> updates_;
    Commitment out_;
    std::vector<Node> nodes_;
    std::vector<Children> branches_;
    std::vector<OldRow> old_rows_;  // read and possibly replaced
    size_t next_old_ = 0;           // before it all are merged
    core::Bytes packed_;
    // Of the level that is encoded.
    std::vector<core::ByteView> inputs_;
    std::vector<Row> hashed_;
    std::vector<core::Hash32> hashes_;
};

namespace {

class NothingStored final : public NodeReader {
  public:
    std::optional<core::ByteView> node(core::ByteView) override { return std::nullopt; }
};

}  // namespace

Commitment Commitment::resolve_new(std::span<const TrieUpdate> updates) {
    NothingStored nothing;
    return CommitmentWalk(nothing, updates).run();
}

Commitment Commitment::resolve_part(std::span<const TrieUpdate> updates, size_t depth) {
    NothingStored nothing;
    return CommitmentWalk(nothing, updates).run_part(depth);
}

Commitment Commitment::resolve(NodeReader& stored, std::span<const TrieUpdate> updates) {
    return CommitmentWalk(stored, updates).run();
}

}  // namespace keel::state
