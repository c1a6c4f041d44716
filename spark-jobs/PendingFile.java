package offstream;

import java.util.BitSet;

/** Rows of a batch before they are written: which of them are the newest of their codes. */
public class PendingFile {
    /** The positions of the kept rows. */
    public final BitSet kept;
    /** The number in the index of the row at each position. */
    private final int[] owners;

    public PendingFile(int rows) {
        kept = new BitSet(rows);
        owners = new int[rows];
    }

    public void keep(int position, int owner) {
        kept.set(position);
        owners[position] = owner;
    }

    public void remove(int position) {
        kept.clear(position);
    }

    public int owner(int position) {
        return owners[position];
    }
}
