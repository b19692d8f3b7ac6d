"""Trees of nested files, as pages draw them."""

from __future__ import annotations

from signpath_ci.sandbox.outcome import Result, Step
from signpath_ci.sandbox.web.trees import Node, tree_of_steps


def _step(*path: str, directive: str = "authenticode-sign", result: Result = "signed", detail: str = "") -> Step:
    return Step(path=path, element="file", directive=directive, line=3, column=5, result=result, detail=detail)


def _drawn(node: Node) -> dict[str, object]:
    inside = {child.name: _drawn(child) for child in node.children.values()}
    return {"result": node.result, "notes": node.notes, **inside}


def test_what_was_done_is_drawn_where_the_file_lies() -> None:
    tree = tree_of_steps(
        "a.zip",
        [
            _step("inner.zip", "bin/app.exe"),
            _step("data.bin", directive="create-cms-signature", result="added", detail="data.p7s"),
            _step("inner.zip", directive="jar-sign"),
            _step("bad.exe", result="failed", detail="It is not a PE file."),
        ],
    )

    assert tree is not None
    assert _drawn(tree) == {
        "result": "",
        "notes": [],
        "inner.zip": {
            "result": "signed",
            "notes": ["jar-sign, line 3"],
            "bin": {
                "result": "",
                "notes": [],
                "app.exe": {"result": "signed", "notes": ["authenticode-sign, line 3"]},
            },
        },
        "data.bin": {"result": "unchanged", "notes": ["create-cms-signature, line 3"]},
        "data.p7s": {"result": "added", "notes": []},
        "bad.exe": {"result": "failed", "notes": ["authenticode-sign, line 3", "It is not a PE file."]},
    }


def test_nothing_done_is_no_tree() -> None:
    assert tree_of_steps("a.zip", []) is None


def test_huge_and_deep_trees_are_bounded() -> None:
    tree = tree_of_steps("a.zip", [_step(f"{number}.exe") for number in range(2500)])
    deep = tree_of_steps("a.zip", [_step("/".join("d" * 5000))])

    assert tree is not None
    assert (len(tree.children), tree.left_out) == (2000, 500)
    depth, node = 0, deep
    while node and node.children:
        depth, node = depth + 1, next(iter(node.children.values()))
    assert depth == 41
