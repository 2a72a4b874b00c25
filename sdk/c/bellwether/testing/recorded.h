/* What the parts of the stand-in tell one another. */
#ifndef BELLWETHER_TESTING_RECORDED_H
#define BELLWETHER_TESTING_RECORDED_H

/* Forgets the recorded requests and the answer that was set. */
void bw_recorded_forget(void);

#endif
