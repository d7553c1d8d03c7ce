"""The README's tour: every command of it, pasted as it stands, works.

The tour is what stands between <!-- tour --> and <!-- /tour -->: the ```sh blocks in it, in order, as one bash session
that stops at the first command that fails. The session has the binary's folder in PATH, a home and a data folder of its
own, the repository as its folder, and a network of its own, in which a node of somebody else runs already on the
default ports, as script/server leaves one."""

import pytest

import pasted

SOMEBODY_ELSE = ('DATA_DIR="$HOME/elsewhere" config-center serve > "$HOME/elsewhere.log" 2>&1 & somebody=$!\n'
                 'until curl -fs http://127.0.0.1:8848/readyz > /dev/null; do kill -0 $somebody; sleep 0.1; done\n'
                 'disown $somebody\n')


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/cli.md", "docs/cli.zh-CN.md", "docs/backup.md",
                                  "docs/backup.zh-CN.md"])
def test_the_tour_works_as_written_while_another_node_runs(tmp_path, name):
    blocks = pasted.blocks(name, "tour")
    assert len(blocks) >= 3
    status, output = pasted.run(tmp_path, "\n".join(blocks) + "\nkill -0 $somebody  # it was left alone\n", at=pasted.ROOT,
                                before=SOMEBODY_ELSE, own="$somebody")
    assert status == 0, f"the tour ends with status {status}:\n{output[-6000:]}"
