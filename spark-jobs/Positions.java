package offstream;

import java.util.Arrays;

/** Positions of rows in one data file. */
public class Positions {
    private int[] values = new int[8];
    private int size = 0;

    public void add(int position) {
        if (size == values.length) values = Arrays.copyOf(values, size * 2);
        values[size++] = position;
    }

    public int size() {
        return size;
    }

    public int[] sorted() {
        int[] sorted = Arrays.copyOf(values, size);
        Arrays.sort(sorted);
        return sorted;
    }
}
