//! Common given and family names of Italy, the English-speaking countries, Germany, France and Spain, and some others.
//!
//! Source: the most frequent names that the statistical offices of these countries publish; without accents, lower case, by first letter.

use crate::inspect::engine::detect::lexis::visit;

/// The longest name in the tables.
const LONGEST: usize = 16;

/// Whether a word, as it stands in a text, is a common given name and whether it is a common family name.
pub(super) fn kinds(word: &[u8]) -> (bool, bool) {
    let Some((folded, length)) = fold(word) else { return (false, false) };
    let Some(name) = folded.get(..length) else { return (false, false) };
    visit(LONGEST);
    let finder = memchr::memmem::Finder::new(name);
    let holds = |table: &[&str; 26]| {
        let row = name.get(1).and_then(|first| table.get(usize::from(first.checked_sub(b'a')?)));
        row.is_some_and(|row| finder.find(row.as_bytes()).is_some())
    };
    (holds(&GIVEN), holds(&FAMILY))
}

/// Lower case without accents or apostrophes, between blanks: `Müller` is ` muller `, `O'Brien` is ` obrien `.
fn fold(word: &[u8]) -> Option<([u8; LONGEST + 2], usize)> {
    let mut folded = [b' '; LONGEST + 2];
    let mut length = 1;
    let mut bytes = word.iter();
    while let Some(&byte) = bytes.next() {
        let letter = match byte {
            b'\'' => continue,
            b'-' => b'-',
            0xc3 => plain(*bytes.next()?)?,
            _ if byte.is_ascii_alphabetic() => byte.to_ascii_lowercase(),
            _ => return None,
        };
        if length > LONGEST {
            return None;
        }
        *folded.get_mut(length)? = letter;
        length += 1;
    }
    (length > 2).then_some((folded, length + 1))
}

/// The letter below the accent, from the second byte of U+00C0 to U+00FF.
const fn plain(second: u8) -> Option<u8> {
    match second & 0x9f | 0x80 {
        0x80..=0x85 => Some(b'a'),
        0x87 => Some(b'c'),
        0x88..=0x8b => Some(b'e'),
        0x8c..=0x8f => Some(b'i'),
        0x91 => Some(b'n'),
        0x92..=0x96 | 0x98 => Some(b'o'),
        0x99..=0x9c => Some(b'u'),
        0x9d => Some(b'y'),
        _ => None,
    }
}

/// Given names.
const GIVEN: [&str; 26] = [
    " aaron abdullah abigail adam adrian adrien agnieszka ahmed aisha alain alan alba alberto alejandro alessandra alessandro alessio \
     alexandre alfonso ali alice alvaro amanda amy ana andre andrea andreas andres andrew angel angela angelika angelo anja anke anna \
     anne annie anthony antoine antonella antonio arnaud ashley audrey aurelie aurora ",
    " baptiste barbara beatrice beatriz benjamin benoit bernard bernd bettina betty birgit brandon brenda brian brigitte bruno ",
    " camilla camille carl carlo carlos carmen carol caroline carolyn caterina catherine cedric celine cesar chantal charles charlotte \
     chiara chloe christa christian christiane christina christine christophe christopher claire claude claudia claudio clement colin \
     corinne craig cristian cristina cynthia ",
    " damien daniel daniela daniele dario david davide deborah debra delphine denis denise dennis derek detlef diane didier diego \
     dieter dirk dmitri dolores domenico dominik dominique donald donna douglas ",
    " edoardo eduardo edward elena eleonora elia elisabetta elizabeth elke elodie emanuele emilie emilio emily emma encarnacion enrico \
     enrique enzo eric erika ernst esteban esther ethan eva evelyn ",
    " fabian fabien fabio fabrice fatima federica federico felipe felix fernando filippo fiona florence florian frances francesca \
     francesco francisco franck franco francois francoise frank franziska frederic friedrich fritz ",
    " gabriele gary gemma gennaro george georges gerald gerard gerhard giacomo gianfranco gianluca gianni gilles giorgia giorgio \
     giovanna giovanni gisela giulia giuseppe gloria gonzalo graham gregory greta guenter guenther guillaume guillermo gunter gunther ",
    " hannah hans harold harry hassan heather heike heinrich heinz helen helene helga helmut henri henry herve holger holly horst hugo \
     hussein ",
    " ian ibrahim ignacio igor ilaria ines ingrid inmaculada irene isabel isabelle ivan ",
    " jack jacob jacqueline jacques jaime james jan jane janet janice jason javier jean jean-claude jean-luc jean-marc jean-paul \
     jean-pierre jeanne jeffrey jennifer jens jeremy jerome jerry jessica jesus joachim joan joaquin joerg johann johanna johannes \
     john jonas jonathan jorg jorge jose josefa joseph joshua joyce juan judith juergen julia julie julien julio jurgen justin ",
    " kai karen karin karl katarzyna katharina katherine kathleen kathrin kathryn katrin keith kelly kenneth kerstin kevin khalid \
     kimberly klaus kyle ",
    " laetitia larry laura lauren laurent lea lena leon leonardo liam linda lisa loredana lorena lorenzo louis louise luca lucas lucia \
     lucy luigi luis lukas ",
    " madeleine madison manfred manon manuel manuela marcel marco marcos margaret margarita marguerite maria marie mario mark markus \
     marta martha martin martina martine mary massimo mathieu matteo matthew matthias matthieu mattia maurice maurizio maxime \
     maximilian melanie melissa mercedes michael michel michela michele michelle miguel mirko mohamed mohammed monica monika monique \
     montserrat moritz muhammad mustafa ",
    " nancy natalia nathalie nathan neil nicholas nicola nicolas nicole nigel niklas noah norbert nuria ",
    " olaf olga oliver olivia olivier omar oscar otto owen ",
    " pablo pamela paola paolo pascal pasquale patricia patrick patrizia paul paula pawel pedro peter petra philipp philippe pierre \
     pietro pilar piotr ",
    " quentin ",
    " rachel rafael raffaele raffaella rainer ralf ramon raquel raul raymond rebecca reinhard renate renato rene ricardo riccardo \
     richard robert roberta roberto rocio rodrigo roger rolf romain ronald rosa rosario ross rossella ruben ruth ryan ",
    " sabine salvador salvatore samantha samuel samuele sandra sandrine santiago sara sarah scott sean sebastian sebastien serena \
     serge sergei sergio severine sharon shirley silke silvia silvio simon simona simone sofia sonia sophia sophie stefan stefania \
     stefanie stefano steffen stephane stephanie stephen steven stuart susan susana susanne suzanne sven sylvie ",
    " tanja tatiana teresa theo thierry thomas thorsten tim timothy tiziano tobias tomasz tommaso torsten trevor tyler ",
    " ulrich umberto ursula ute uwe ",
    " valentina valerie valerio veronica veronique vicente victor victoria vincent vincenzo virginia virginie volker ",
    " walter werner wilhelm william wolfgang ",
    "  ",
    " yolanda yusuf yves ",
    " zachary ",
];

/// Family names.
const FAMILY: [&str; 26] = [
    " adam adams aguilar ahmed albrecht allen alonso alvarez amato anderson andersson andre arias arnaud arnold aubert ",
    " bailey baker barbier barbieri barnes barone basile bassi battaglia bauer baumann beck becker bellini benedetti benitez bennett \
     berger bergmann bernard bernardi bertolini bertrand bianchi bianco blanc blanchard blanco boehm bohm bonnet bourgeois boyer \
     brambilla brandt braun bravo brooks brown brun brunet bruno busch butler ",
    " caballero cabrera calvo campbell campos cano caputo carbone carmona caron carpentier carrasco carter caruso castillo castro \
     cattaneo charles chavez chevalier clark clement colas collins colombo colonna conte conti cook cooper coppola cortes costa \
     costantini cox crespo cruz ",
    " da-silva damico david davies davis delgado denis deschamps diaz dietrich diez dixon doe dominguez donati dubois dufour dumas \
     dumont dupont dupuis dupuy duran durand durant duval ",
    " edwards ellis engel esposito esteban evans ",
    " fabbri fabre farina faure fernandez ferrara ferrari ferraro ferrer ferretti ferri fiore fischer fisher flores fontaine fontana \
     foster fournier fox francois frank franke friedrich fuchs fuentes fumagalli ",
    " gaillard gallardo gallego galli gallo garcia garnier garrido gatti gauthier gautier gentile gerard gibson gil gimenez giordano \
     girard giraud giuliani gomez gonzalez graf graham grant grassi grasso gray greco green gross guenther guerin guerra guerrero \
     guillaume guillot gunther gutierrez ",
    " haas hahn hall hamilton hansen harris harrison hartmann heinrich henry hernandez herrera herrero herrmann \
     hidalgo hill hoffmann hofmann horn howard huber hubert hudson hughes hunt hussain ",
    " ibanez iglesias ivanov ",
    " jackson jaeger jager james jean jensen jimenez johansson johnson joly jones jung ",
    " kaiser keller kelly khan kim king klein knight koch koehler koenig kohler konig kowalski kraemer kramer kraus krause krueger \
     kruger kuehn kuhn kumar ",
    " lacroix lambert lang lange larsen laurent leclerc leclercq lee lefebvre lefevre legall legrand lehmann lemaire lemoine leon \
     leone leroux leroy lewis lloyd lombardi lombardo long longo lopez lorenz lorenzo louis lozano lucas ludwig ",
    " maier mancini marchand marchetti mariani marie marin marini marino marquez marshall martin martinelli martinez martini martino \
     masson mathieu mayer mazza mcdonald medina meier mendez mendoza mercier messina meunier meyer michel milani miller mills \
     mitchell moeller molina moller montanari montero monti moore mora morales moreau morel morelli moreno moretti morgan morin \
     morris moulin moya mueller muller munoz murphy myers ",
    " navarro negri nelson neri neumann nguyen nicolas nielsen nieto noel nowak nunez ",
    " obrien oconnor olivier orlando orsini ortega ortiz otto ",
    " pagano palmer palmieri palumbo parisi parker parra pascual pastor patel pellegrini pellegrino pena perez perrin peters peterson \
     petit petrov pfeiffer philippe phillips piazza picard piras pohl price prieto ",
    "  ",
    " ramirez ramos reed renard renaud rey reyes ricci richard richardson richter rinaldi riva rivera riviere rizzi rizzo robert \
     roberts robin robinson roche rodriguez roger rogers rojas rolland roman romano romero ross rossetti rossi roth rousseau roussel \
     roux roy rubio ruggiero ruiz russell russo ",
    " saez sala sanchez sanders sanna santana santoro santos sanz sartori sauer schaefer schafer schmid schmidt schmitt schmitz \
     schneider scholz schreiber schroder schroeder schubert schulte schulz schulze schumacher schuster schwarz scott seidel serra \
     serrano sharma shaw silvestri simon singh smirnov smith soler sommer sorrentino soto stein stevens stewart suarez ",
    " taylor testa thomas thompson torres turner ",
    "  ",
    " valentini vargas vazquez vega velasco verdi vicente vidal villa vincent vitale vitali vogel vogt voigt ",
    " wagner walker wallace walter ward watson weber weiss werner white williams wilson winkler winter wisniewski wolf wolff wood \
     wright ",
    "  ",
    " young ",
    " ziegler zimmermann ",
];
